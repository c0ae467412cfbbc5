"""Tokens that agencies sign, mutated by a thief who has no key, and by an agency that has one."""

import base64
import hmac
import json
import random
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from benchmarks.damaged_files import damaged
from benchmarks.mutated_files.mutations import of_json
from benchmarks.mutated_requests.endings import OTHER, REFUSED, SAME, TAKEN, UNNAMED, Kind
from deepcity.city.errors import DeepCityError
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.signed_tokens import ALGORITHM, LONGEST_S, SKEW_S
from deepcity.store.signatures.ed25519 import public_hex

CITY = "town"
OWNER, GATES, THIEF = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
_MOST = 2_000  # signs of a token
_NUMBERS: tuple[Any, ...] = (
    -1, 0, -(2**63), 2**63, 10**300, 1e308, float("nan"), float("inf"), True, None, "1700000000",
    "١٧٠٠٠٠٠٠٠٠", "²", [1], {}, 1.5, "now",
)  # fmt: skip
_NAMES: tuple[Any, ...] = (
    "gates", "Weather", "weather ", "weather\x00", "wеather", "ｗeather", "", None, 7, ["weather"],
    {"weather": 1}, "weather/../gates", "\ud800", "x" * 1500,
)  # fmt: skip
_HEADS: tuple[dict[str, Any], ...] = (
    {"kid": "weather"}, {"kid": "../../keys/own.pem"}, {"kid": "' or 1=1 --"}, {"kid": 7},
    {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "file:///etc/passwd"}, {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]}, {"typ": "JWE"}, {"zip": "DEF"}, {"cty": "JWT"},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}, {"alg2": "none"},
)  # fmt: skip
_ALGORITHMS: tuple[Any, ...] = (
    "none", "None", "NONE", "HS256", "HS384", "HS512", "EdDSA", "ES256", "RS256", "Ed448", "",
    None, 1, ["Ed25519"], "ed25519", "Ed25519\x00",
)  # fmt: skip


def city_access() -> Access:
    """Two agencies that sign for the city."""
    grant = (GrantEntry(service="ridership"),)
    keys = {"weather": public_hex(OWNER), "gates": public_hex(GATES)}
    entries = [AgencyEntry(name=name, key=key, grant=grant) for name, key in keys.items()]
    return Access(agency=tuple(entries)).for_city(CITY)


def own_claims() -> dict[str, Any]:
    """Right ones, as of now."""
    now = int(time.time())
    return {"iss": "weather", "aud": CITY, "iat": now, "exp": now + 300}


def signed(payload: str, key: Ed25519PrivateKey = OWNER, **head: Any) -> str:
    """A token over any text, with a right signature of a key."""
    parts = [_coded(json.dumps({"alg": ALGORITHM, **head}).encode()), _coded(_bytes(payload))]
    return ".".join([*parts, _coded(key.sign(".".join(parts).encode()))])


def token_kinds(access: Access | None = None) -> list[Kind]:
    """One of each kind of mutation."""
    access = access or city_access()
    makers: dict[str, Callable[[random.Random], tuple[str, str]]] = {
        "token, damaged": damaged_token,
        "token, signed by a thief": thief_token,
        "token, by another algorithm": other_algorithm,
        "token, wrong claims of its agency": wrong_claims,
    }
    return [
        Kind(name, lambda draw, make=make: ending(access, *make(draw)))
        for name, make in makers.items()
    ]


def ending(access: Access, token: str, if_taken: str) -> str:
    """How the city ends with a token; `if_taken` where it finds an agency."""
    try:
        agency = access.agency_of(token)
    except DeepCityError as error:
        shown = len(token) > 3 and token in str(error)  # a token is a secret
        return f"{UNNAMED}: {error}" if shown else REFUSED
    except Exception as error:
        return f"{UNNAMED}: {type(error).__name__}: {str(error)[:100]}"
    return f"{if_taken}: as {agency}: {token[:300]}"


def damaged_token(draw: random.Random) -> tuple[str, str]:
    """Bits, cuts and garbage; right where all its parts still stand for the same bytes."""
    whole = signed(json.dumps(own_claims()))
    found = damaged(whole.encode(), draw)[1].decode("latin-1")
    return found, SAME if _parts(found) == _parts(whole) else TAKEN


def thief_token(draw: random.Random) -> tuple[str, str]:
    """Signed with a key that the city does not know, or one of another agency, or that of before
    over other claims; with heads that point elsewhere.
    """
    claims = own_claims() if draw.random() < 0.5 else of_json(own_claims(), draw)
    if draw.random() < 0.3:  # the signature of a right one
        head, _, signature = signed(json.dumps(own_claims())).split(".")
        later = {**own_claims(), "exp": own_claims()["exp"] + draw.randrange(1, 300)}
        return ".".join([head, _coded(_bytes(json.dumps(later))), signature]), TAKEN
    head = draw.choice(_HEADS) if draw.random() < 0.6 else {}
    key = draw.choice((THIEF, GATES))
    if key is GATES and isinstance(claims, dict) and claims.get("iss") == "gates":
        key = THIEF
    return signed(json.dumps(claims), key, **head), TAKEN


def other_algorithm(draw: random.Random) -> tuple[str, str]:
    """No algorithm, or one whose secret is the public key that everybody may know."""
    payload, algorithm = json.dumps(own_claims()), draw.choice(_ALGORITHMS)
    if algorithm in ("HS256", "HS384", "HS512"):
        public = OWNER.public_key().public_bytes_raw()
        pem = OKPKey.import_key(OWNER).as_pem(private=False)
        secret = draw.choice((public, public.hex().encode(), pem))
        text = f"{_coded(json.dumps({'alg': algorithm}).encode())}.{_coded(payload.encode())}"
        code = hmac.digest(secret, text.encode(), f"sha{algorithm[2:]}")  # joserfc makes none such
        return f"{text}.{_coded(code)}", TAKEN
    whole = signed(payload, **{"alg": algorithm}) if draw.random() < 0.5 else signed(payload)
    _, body, signature = whole.split(".")
    head = _coded(json.dumps({"alg": algorithm}).encode())
    return ".".join([head, body, draw.choice((signature, "", "AA"))]), TAKEN


def wrong_claims(draw: random.Random) -> tuple[str, str]:
    """Signed rightly by the agency's own key, over claims that may be wrong."""
    claims: dict[str, Any] = own_claims()
    how = draw.choice(("time", "time", "shift", "name", "any", "text", "twice", "deep", "huge"))
    if how == "time":
        claims[draw.choice(("iat", "exp", "nbf"))] = draw.choice(_NUMBERS)
    elif how == "shift":
        shift = draw.choice((-(10**6), -700, -200, -30, 30, 200, 700, 10**6))
        claims |= {"iat": claims["iat"] + shift, "exp": claims["exp"] + shift}
        claims["exp"] += draw.choice((0, 0, 300, 301, -300, -301))
    elif how == "name":
        claims[draw.choice(("iss", "aud"))] = draw.choice(_NAMES)
    elif how == "any":
        claims = of_json(claims, draw)
    elif how in ("twice", "deep", "huge", "text"):
        token = signed(_text(how, claims, draw), **draw.choice((*_HEADS[:1], {})))
        ignored = how == "deep" and len(token) <= _MOST  # claims that a city does not know
        return token, OTHER if ignored else TAKEN
    token = signed(json.dumps(claims, ensure_ascii=draw.random() < 0.5))
    return token, OTHER if _is_right(claims) and len(token) <= _MOST else TAKEN


def _text(how: str, claims: dict[str, Any], draw: random.Random) -> str:
    text = json.dumps(claims)
    if how == "twice":
        more = draw.choice(('"iss": "gates"', '"aud": "town"', '"exp": 99999999999'))
        return draw.choice((f"{{{more}, {text[1:]}", f"{text[:-1]}, {more}}}"))
    if how == "deep":
        depth = draw.choice((50, 600, 700, 3_000))
        return f'{text[:-1]}, "x": {"[" * depth}{"]" * depth}}}'
    if how == "huge":
        return f'{text[:-1]}, "x": "{"y" * draw.choice((2_000, 100_000, 3_000_000))}"}}'
    return draw.choice((f"[{text}]", f"{text}{text}", f"\ufeff{text}", "", "null", text[:-1], "{}"))


def _is_right(claims: Any) -> bool:
    """By the rules that the documentation states, written apart from the code that is tried."""
    if not isinstance(claims, dict) or (claims.get("iss"), claims.get("aud")) != ("weather", CITY):
        return False
    begun, end, now = claims.get("iat"), claims.get("exp"), time.time()
    valid = claims.get("nbf", begun)
    if [type(one) for one in (begun, end, valid)] != [int, int, int]:
        return False
    begins, lasts = max(begun, valid) - SKEW_S <= now, 0 < end - begun <= LONGEST_S
    return begins and lasts and now < end + SKEW_S


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(token: str) -> list[bytes] | None:
    try:
        return [base64.urlsafe_b64decode(one + "==") for one in token.split(".")]
    except ValueError:
        return None
