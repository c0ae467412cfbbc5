/** Korean particles by the sound that a name or number ends with; the node has the same rules
 * (`deepcity.city.korean`). Words have both forms, such as `{party}이(가)`. */

const PAIRS: Record<string, [string, string]> = {
  "이(가)": ["이", "가"],
  "을(를)": ["을", "를"],
  "은(는)": ["은", "는"],
  "과(와)": ["과", "와"],
  "(으)로": ["으로", "로"],
  "(이)라": ["이라", "라"],
  "(이)나": ["이나", "나"],
  "(이)며": ["이며", "며"],
  "(이)고": ["이고", "고"],
};
const BOTH = /이\(가\)|을\(를\)|은\(는\)|과\(와\)|\(으\)로|\(이\)라|\(이\)나|\(이\)며|\(이\)고/g;
/** 영, 일, 삼, 육, 칠, 팔, 제곱, 세제곱. */
const DIGITS: Record<string, string> = { 0: "ㅇ", 1: "ㄹ", 3: "ㅁ", 6: "ㄱ", 7: "ㄹ", 8: "ㄹ", "²": "ㅂ", "³": "ㅂ" };
/** 엘, 알, 엠, 엔, where a letter is read by its name. */
const LETTERS: Record<string, string> = { L: "ㄹ", R: "ㄹ", M: "ㅁ", N: "ㄴ" };
const WORDS: Record<string, string> = { l: "ㄹ", m: "ㅁ", n: "ㄴ", ng: "ㅇ" };
/** Signs before the particle: no word is longer. */
const LOOKED_AT = 300;
const [FIRST, LAST, FINALS, RIEUL] = [0xac00, 0xd7a3, 28, 8];

/** A text with the particle that fits in place of each pair. */
export function withParticles(text: string): string {
  let found = "";
  let at = 0;
  for (const pair of text.matchAll(BOTH)) {
    found += text.slice(at, pair.index);
    const [afterConsonant, afterVowel] = PAIRS[pair[0]] ?? [pair[0], pair[0]];
    const final = finalConsonant(found);
    const vowel = final === "" || (final === "ㄹ" && pair[0] === "(으)로");
    found += vowel ? afterVowel : afterConsonant;
    at = pair.index + pair[0].length;
  }
  return found + text.slice(at);
}

/** What a text ends with as it is read: ㄹ, another final consonant, or nothing. */
function finalConsonant(text: string): string {
  const word = text.slice(-LOOKED_AT).trimEnd().replace(/\s*\([^()]*\)$|\s*\[[^[\]]*\]$/, "").replace(/[\s’”»」』"'`)\]}>.,:;!?…]+$/, "");
  const last = [...word].at(-1) ?? "";
  const code = last.codePointAt(0) ?? 0;
  if (FIRST <= code && code <= LAST) {
    const final = (code - FIRST) % FINALS;
    return final === RIEUL ? "ㄹ" : final ? "ㅇ" : "";
  }
  const digit = DIGITS[last];
  if (digit !== undefined) return digit;
  const letters = /[A-Za-z]+$/.exec(word)?.[0] ?? "";
  if (letters === letters.toUpperCase() || letters.length === 1) return LETTERS[letters.slice(-1).toUpperCase()] ?? "";
  return WORDS[letters.slice(-2).toLowerCase()] ?? WORDS[letters.slice(-1).toLowerCase()] ?? "";
}
