"""An invented city for the control room: deterministic values, alarms, decisions, agencies."""

from dataclasses import dataclass, field

import numpy as np

START_S = 1_719_464_400  # 2024-06-27 14:00 in Seoul
STEP_S = 900
HORIZON = 16
DAY_S = 86_400
CENTRE = (37.876, 127.735)


def text(en, ko):
    return {"en": en, "ko": ko}


SERVICES = [
    {"name": "traffic", "application": "traffic", "task": "forecast",
     "title": text("Traffic", "교통"),
     "question": text("How fast will traffic flow?", "차량 속도는 어떻게 될까요?"),
     "decision": text("Which detour to show.", "어느 우회로를 안내할지 정합니다.")},
    {"name": "parking", "application": "parking-guidance", "task": "plan",
     "title": text("Parking guidance", "주차 안내"),
     "question": text("Where will a space be free?", "어디에 빈자리가 있을까요?"),
     "decision": text("Where to send drivers.", "운전자를 어디로 안내할지 정합니다.")},
    {"name": "water", "application": "water-supply", "task": "alert",
     "title": text("Water supply", "수도"),
     "question": text("How much water will flow?", "물이 얼마나 흐를까요?"),
     "decision": text("Which district to look at.", "어느 구역을 살필지 정합니다.")},
]  # fmt: skip


@dataclass
class Party:
    """One agency's field in one service, with values at any time from a formula."""

    service: str
    name: str
    agency: str
    title: dict
    kind: str
    unit: str
    places: int
    centre: float
    swing: float
    seed: int
    positions: bool = True
    gap: dict | None = None
    late_s: int = 0
    forecasts: bool = True
    outlines: list | None = None
    value_noise: np.ndarray = field(init=False)

    def __post_init__(self):
        draw = np.random.default_rng(self.seed)
        self.phase_N = draw.uniform(-0.6, 0.6, self.places)
        self.level_N = self.centre * draw.uniform(0.6, 1.3, self.places)
        spread = 0.07 if self.places > 1000 else 0.03
        self.lat_N = np.round(CENTRE[0] + draw.normal(0, spread, self.places), 5)
        self.lon_N = np.round(CENTRE[1] + draw.normal(0, spread * 1.3, self.places), 5)

    def values(self, time_s):
        hour = (time_s + 9 * 3600) % DAY_S / 3600
        rush = np.exp(-((hour - 8) ** 2) / 3) + np.exp(-((hour - 18 + self.phase_N) ** 2) / 4)
        wave = 0.15 * np.sin(time_s / 1300 + 7 * self.phase_N)
        return np.round(np.maximum(self.level_N + self.swing * (rush + wave), 0), 2)

    def measured(self, time_s):
        value_N = self.values(time_s).tolist()
        if self.places > 5:
            value_N[5] = None  # one sensor is out
        return value_N

    def forecast(self, time_s, origin_s):
        """Forecast and band of all places: wider, the further ahead."""
        ahead = (time_s - origin_s) // STEP_S + 1
        value_N = self.values(time_s) * 0.97
        half = abs(self.swing) * 0.12 * np.sqrt(ahead)
        low_N, high_N = np.maximum(value_N - half, 0), value_N + half
        return [np.round(one, 2).tolist() for one in (value_N, low_N, high_N)]

    def index(self, place):
        return int(place[1:]) - 1

    def describe(self):
        ids = [f"{self.name[:1].upper()}{index + 1:03d}" for index in range(self.places)]
        lat, lon = self.lat_N.tolist(), self.lon_N.tolist()
        if not self.positions:
            lat = lon = [None] * self.places
        capacity = 120 if self.kind == "share" else None
        return {
            "service": self.service, "party": self.name, "agency": self.agency,
            "title": self.title, "field": self.name.split("/")[1], "kind": self.kind,
            "unit": self.unit, "step_s": STEP_S, "horizon": HORIZON,
            "places": [
                {"id": one, "lat": north, "lon": east, "capacity": capacity}
                for one, north, east in zip(ids, lat, lon, strict=True)
            ],
            "outlines": self.outlines,
        }  # fmt: skip


def parties(places):
    return [
        Party("traffic", "nuri-roads/speed", "nuri-roads", text("Road speeds", "도로 속도"),
              "speed", "km/h", places, 52, -28, 1),
        Party("parking", "nuri-parking/occupied", "nuri-parking", text("Car parks", "주차장"),
              "share", "%", 14, 45, 38, 2, late_s=5400,
              gap={"code": "late", "text": text("Nothing since 12:30: is its export running?",
                                                "12:30 이후 자료 없음. 내보내기를 확인하세요.")}),
        Party("water", "nuri-water/inflow", "nuri-water", text("Water districts", "급수 구역"),
              "flow", "L/s", 10, 22, 9, 3, positions=False),
    ]  # fmt: skip


def alarms():
    return [
        alarm(1, "traffic", "nuri-roads/speed", "N003", "jam", "critical", START_S - 1500,
              text("Jam at N003: 14 km/h, expected 41", "N003 정체: 시속 14 km, 예상 41 km")),
        alarm(2, "water", "nuri-water/inflow", "N007", "night-flow", "warning", START_S - 7200,
              text("Flow at N007 stays above its usual night level by 3.1 L/s",
                   "N007 야간 유량이 평소보다 3.1 L/s 많습니다")),
        alarm(3, "parking", "nuri-parking/occupied", None, "source-late", "warning",
              START_S - 4000, text("nuri-parking is late by 90 min", "nuri-parking 90분 지연")),
    ]  # fmt: skip


def alarm(number, service, party, place, code, severity, since_s, words):
    return {
        "id": number, "service": service, "party": party, "place": place, "code": code,
        "severity": severity, "text": words, "since_s": since_s, "last_s": START_S, "over": False,
        "state": "open", "assigned_to": None, "escalated": False,
        "history": [{"change": "raised", "who": "", "at_s": since_s, "to": "", "comment": ""}],
    }  # fmt: skip


def decisions():
    evidence = [
        {"agency": "nuri-roads", "newest_s": START_S, "age_s": 120, "missing": 0.017,
         "leakage": None},
        {"agency": "nuri-weather", "newest_s": START_S - 3600, "age_s": 3600, "missing": 0.0,
         "leakage": 0.04},
    ]  # fmt: skip
    detour = {
        "code": "detour", "place": "N003", "at_s": START_S + 1800,
        "numbers": {"saved_min": 6.5, "vehicles": 420},
        "text": text("Show the detour over N011 at N003 from 14:30",
                     "14:30부터 N003에서 N011 우회로를 안내합니다"),
    }  # fmt: skip
    reasons = [
        {"code": "spreads-from", "numbers": {"min": 12},
         "text": text("The jam began at N008 and reached N003 after 12 min",
                      "정체가 N008에서 시작해 12분 뒤 N003에 이르렀습니다")},
        {"code": "below-forecast", "numbers": {"difference": -27},
         "text": text("27 km/h under the forecast: like an incident",
                      "예측보다 시속 27 km 낮습니다. 사고로 보입니다")},
    ]  # fmt: skip
    lots = {
        "code": "guide", "place": "N004", "at_s": START_S, "numbers": {"free": 31},
        "text": text("Guide drivers to N004: 31 spaces are 90 % sure",
                     "N004로 안내합니다. 31면이 90 % 확실합니다"),
    }  # fmt: skip
    base = {"valid_until_s": START_S + 7200, "answers": [], "outcome": None, "band": 0.9}
    outcome = {"text": text("11 drivers found a space, 1 did not", "11명 주차, 1명 실패"),
               "numbers": {"found": 11, "not_found": 1}}  # fmt: skip
    return [
        {**base, "id": 1, "service": "traffic", "party": "nuri-roads/speed",
         "at_s": START_S - 300, "task": "forecast", "confirm": "operator", "certainty": 0.84,
         "status": "waiting", "actions": [detour], "reasons": reasons, "evidence": evidence},
        {**base, "id": 2, "service": "parking", "party": "nuri-parking/occupied",
         "at_s": START_S - 900, "task": "plan", "confirm": "nobody", "certainty": 0.9,
         "status": "advice", "actions": [lots], "reasons": [], "evidence": evidence[:1],
         "outcome": outcome},
    ]  # fmt: skip


AGENCIES = [
    {"name": "roads", "title": text("Road office", "도로과")},
    {"name": "weather", "title": text("Weather office", "기상청")},
]


def agency_named(name):
    """As an entry has it; null for no name."""
    known = (one for one in AGENCIES if one["name"] == name)
    return next(known, {"name": name, "title": text(name, name)}) if name else None


def map_of_cities():
    ladder = ["h1", "h2", "h3", "h4", "h5", "head"]

    def party(city, service, name, level, granted, change, **more):
        newcomer = more.get("newcomer", False)
        return {
            "city": city,
            "agency": name.split("/")[0],
            "party": name,
            "service": service,
            "title": text(name.split("/")[1].title(), name.split("/")[1]),
            "newcomer": False,
            "silent": False,
            "level": level,
            "granted_to": granted,
            "change": change,
            "records_silent_since_s": None,
            "stem": "private",
            "set_by": text("Accuracy set the level.", "정확도가 단계를 정했습니다."),
            "leakage": [{"layer": "h1", "r2": 0.954}, {"layer": "forecast", "r2": 0.7}],
            "layers": [] if newcomer else ladder[: ladder.index(granted) + 1],
            "sent_bytes": 0 if newcomer else 1_250_000,
            "received_bytes": 3_400_000,
            "rounds": part(40),
            **more,
        }

    def part(last, left_out="", reason="", by="coordinator"):
        return {
            "last": last,
            "done": 40,
            "at_s": START_S - 86_400,
            "left_out": left_out,
            "reason": reason,
            "by": by,
        }

    def agency(name, en, ko, layer, **more):
        return {
            "agency": name, "title": text(en, ko), "layer": layer, "granted_from": "h3",
            "width": 16, "cells": 2, "sent_bytes": 4_200_000, "received_bytes": 2_900_000,
            "change_without": -0.021, "failed": "", "silent": False, "newest_s": START_S,
            **more,
        }  # fmt: skip

    return {
        "cities": [
            {"name": "nuri", "title": text("Nuri", "누리")},
            {"name": "haneul", "title": text("Haneul", "하늘")},
            {"name": "bada", "title": text("Bada", "바다")},
        ],
        "services": [{"name": one["name"], "title": one["title"]} for one in SERVICES],
        "parties": [
            party("nuri", "traffic", "nuri-roads/speed", "h3", "h4", -0.081),
            party("haneul", "traffic", "haneul-roads/speed", "h3", "h5", -0.046),
            party("bada", "traffic", "bada-roads/speed", "h2", "h2", -0.192, newcomer=True),
            party("nuri", "parking", "nuri-parking/occupied", "h5", "head", -0.027),
            party("bada", "parking", "bada-parking/occupied", "", "h5", None, silent=True,
                  rounds=part(12, "silent", "no answer within 60 s")),
            party("nuri", "water", "nuri-water/inflow", "h1", "h1", -0.012),
            party("haneul", "water", "haneul-water/inflow", "alone", "h2", 0.002),
        ],
        "vertical": [{
            "service": "bikes", "title": text("Bikes", "자전거"), "city": "nuri",
            "party": "nuri/bikes", "party_title": text("Nuri Bikes", "누리 자전거"),
            "mode": "block-wise", "level": "h3", "labels_stay": False, "change": -0.093,
            "agencies": [
                agency("weather", "Weather office", "기상청", "h3", change_without=0.004),
                agency("metro", "Metro", "지하철", "h4", silent=True, newest_s=START_S - 864_000),
            ],
        }],
        "unread": [],
    }  # fmt: skip
