"""Names and addresses of people who do not exist."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from coax.process.generate.draws import Chance, Keys

FIRST_NAMES: Final = [
    "Anna",
    "Bert",
    "Carla",
    "Daniel",
    "Elena",
    "Felix",
    "Greta",
    "Hannes",
    "Ida",
    "Jonas",
    "Katrin",
    "Lukas",
    "Marie",
    "Nils",
    "Olga",
    "Paul",
    "Ronja",
    "Simon",
    "Tilda",
    "Ulrich",
    "Vera",
    "Wilhelm",
    "Yara",
    "Anton",
    "Birgit",
    "Christian",
    "Doris",
    "Emil",
    "Frieda",
    "Georg",
    "Heike",
    "Ingo",
    "Jasmin",
    "Klaus",
    "Lena",
    "Martin",
    "Nora",
    "Oskar",
    "Petra",
    "Ralf",
    "Sabine",
    "Thomas",
    "Ute",
    "Viktor",
    "Wiebke",
    "Ahmet",
    "Bianca",
    "Cem",
    "Dilara",
    "Eva",
    "Fatma",
    "Goran",
    "Hanna",
    "Igor",
    "Jana",
]
LAST_NAMES: Final = [
    "Albrecht",
    "Bauer",
    "Conrad",
    "Dietrich",
    "Ebert",
    "Fischer",
    "Graf",
    "Hansen",
    "Iversen",
    "Jansen",
    "Keller",
    "Lorenz",
    "Meyer",
    "Neumann",
    "Otto",
    "Petersen",
    "Quast",
    "Richter",
    "Schulz",
    "Thiele",
    "Ullrich",
    "Vogel",
    "Wagner",
    "Yilmaz",
    "Ziegler",
    "Arnold",
    "Becker",
    "Claussen",
    "Demir",
    "Engel",
    "Franke",
    "Gross",
    "Hoffmann",
    "Jung",
    "Kaiser",
    "Lehmann",
    "Maurer",
    "Nowak",
    "Olsen",
    "Pohl",
    "Reuter",
    "Sommer",
    "Timm",
    "Unger",
    "Voss",
    "Winter",
    "Zander",
    "Brandt",
    "Carstens",
    "Dahl",
    "Ehlers",
    "Friedrich",
    "Gerlach",
    "Horn",
    "Jahn",
]
STREETS: Final = (
    "Hauptstrasse",
    "Bahnhofstrasse",
    "Gartenweg",
    "Lindenallee",
    "Hafenstrasse",
    "Schulstrasse",
    "Muehlenweg",
    "Bergstrasse",
    "Am Markt",
    "Kirchplatz",
    "Deichweg",
    "Rosenweg",
)
CITIES: Final = (
    ("10115", "Berlin"),
    ("20095", "Hamburg"),
    ("24103", "Kiel"),
    ("23552", "Luebeck"),
    ("28195", "Bremen"),
    ("30159", "Hannover"),
    ("18055", "Rostock"),
    ("24937", "Flensburg"),
    ("26122", "Oldenburg"),
    ("38100", "Braunschweig"),
    ("49074", "Osnabrueck"),
    ("19053", "Schwerin"),
    ("21335", "Lueneburg"),
    ("25335", "Elmshorn"),
    ("27568", "Bremerhaven"),
    ("17489", "Greifswald"),
)
HOUSE_NUMBER_MAX: Final = 120
PHONE_NUMBERS: Final = 10_000_000


def describe_people(chance: Chance, people: Keys) -> dict[str, pl.Series]:
    """Return the contact columns of the people with these numbers."""
    first = _gather(FIRST_NAMES, chance.pick("first name", people, len(FIRST_NAMES)))
    last = _gather(LAST_NAMES, chance.pick("last name", people, len(LAST_NAMES)))
    place = chance.pick("city", people, len(CITIES))
    street = _gather(STREETS, chance.pick("street", people, len(STREETS)))
    house = _text(1 + chance.pick("house", people, HOUSE_NUMBER_MAX))
    mail = first.str.to_lowercase() + "." + last.str.to_lowercase() + "." + _text(people + 1) + "@example.org"
    phone = _text(chance.pick("phone", people, PHONE_NUMBERS)).str.zfill(7)
    return {
        "name": first + " " + last,
        "email": mail,
        "phone": "+49 4" + _text(place + 10) + " " + phone,
        "street": street + " " + house,
        "postal_code": _gather([code for code, _ in CITIES], place),
        "city": _gather([city for _, city in CITIES], place),
        "country": _gather(["Germany"], np.zeros_like(people)),
        "locale": _gather(["de_DE"], np.zeros_like(people)),
    }


def _gather(texts: list[str] | tuple[str, ...], positions: Keys) -> pl.Series:
    return pl.Series("", texts, pl.String).gather(positions)


def _text(numbers: Keys) -> pl.Series:
    return pl.Series("", numbers).cast(pl.String)
