"""Generated subscribers: the same for the same seed, plausible in sum, and such as an import takes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from coax.configuration.operations.parse_documents import parse_documents, parse_text
from coax.configuration.types.documents import ConfigurationRow
from coax.process.generate import CountRefused, FileNotWritten, NothingToSell, generate_subscribers, write_subscribers
from coax.process.generate.draws import Chance
from coax.process.import_subscribers import COLUMN_NAMES
from coax.process.import_subscribers.catalogue import build_catalogue
from coax.process.import_subscribers.groups import add_defaults, find_contradictions, find_repeated_services
from coax.process.import_subscribers.lookup import check_configuration
from coax.process.import_subscribers.parsing import parse_rows

AS_OF = date(2026, 6, 1)
EXAMPLES = Path(__file__).parents[3] / "examples"
STORED_ACCOUNTS = {"account_code": pl.String, "contact_code": pl.String}


def _versions(parsed) -> list[ConfigurationRow]:
    return [
        ConfigurationRow(
            entity_id=number,
            version_id=number + 1000,
            kind=entity.kind,
            code=entity.spec.code,
            number=1,
            effective_date=entity.spec.in_force_from,
            expiration_date=None,
            is_used=False,
            spec=entity.spec,
        )
        for number, entity in enumerate(parsed.entities, start=1)
    ]


@pytest.fixture(scope="module")
def versions() -> list[ConfigurationRow]:
    return _versions(parse_documents([EXAMPLES / "big-operator"]))


def _generate(versions, count=2000, seed=1, first=0) -> pl.DataFrame:
    return generate_subscribers(versions=versions, currency="EUR", count=count, seed=seed, as_of=AS_OF, first=first)


def test_the_seed_decides_everything(versions):
    assert _generate(versions).equals(_generate(versions))
    assert not _generate(versions).equals(_generate(versions, seed=2))


def test_blocks_make_the_whole(versions):
    blocks = [_generate(versions, count=70, first=0), _generate(versions, count=130, first=70)]
    assert pl.concat(blocks).equals(_generate(versions, count=200))


def test_draws_are_the_same_on_every_machine():
    picked = Chance(1).pick("name", np.arange(5, dtype=np.int64), 1000)
    assert picked.tolist() == [415, 192, 901, 690, 99]


def test_draws_are_spread_evenly():
    counts = np.bincount(Chance(7).pick("any", np.arange(100_000, dtype=np.int64), 10), minlength=10)
    assert counts.min() > 9_600
    assert counts.max() < 10_400


def test_subscribers_are_mixed(versions):
    rows = _generate(versions, count=4000)
    services = rows.height / 4000
    assert 2.45 < services < 2.55
    assert rows.group_by("account_code").len()["len"].max() == 4
    assert rows["account_code"].n_unique() == 4000
    assert rows["contact_code"].n_unique() == 3920
    assert set(rows["scheme"]) == {"monthly-cycle", "anniversary", "month-end"}
    assert set(rows["frequency"]) == {"monthly", "quarterly", "biannual", "annual"}
    assert set(rows["classification"]) == {"residential", "business", "employee"}
    assert rows.filter(pl.col("classification") == "residential").height > rows.height * 0.8
    assert rows["product"].n_unique() == 17
    for name in ("effective_to", "billed_until", "discount_percent", "agreed_price", "binding_period", "credit_limit"):
        assert 0 < rows[name].null_count() < rows.height, name
    assert rows.filter(pl.col("billed_until") > AS_OF).height > rows.height * 0.8
    assert rows.filter(pl.col("effective_from").dt.day() != 1).height > rows.height * 0.3
    assert rows["effective_from"].max() <= AS_OF


@pytest.mark.parametrize("example", ["big-operator", "company-zx"])
def test_every_row_passes_the_checks_of_the_import(example):
    versions = _versions(parse_documents([EXAMPLES / example]))
    catalogue = build_catalogue(versions, currency="EUR", as_of=AS_OF)
    texts = _generate(versions, count=3000).with_row_index("line").with_columns(pl.col(COLUMN_NAMES).cast(pl.String))
    rows, problems = parse_rows(texts, currency_scale=2)
    rows = add_defaults(rows, pl.DataFrame(schema=STORED_ACCOUNTS))
    problems += [*check_configuration(rows, catalogue), *find_contradictions(rows), find_repeated_services(rows)]
    assert pl.concat(problems).rows() == []


def test_a_file_is_the_blocks_together(versions, tmp_path):
    seen: list[tuple[str, int, int]] = []
    rows = write_subscribers(
        tmp_path / "f.parquet",
        versions=versions,
        currency="EUR",
        count=300,
        seed=1,
        as_of=AS_OF,
        progress=lambda step, done, total: seen.append((step, done, total)),
    )
    assert pl.read_parquet(tmp_path / "f.parquet").equals(_generate(versions, count=300))
    assert (rows, seen) == (_generate(versions, count=300).height, [("Generating", 300, 300)])
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]


def test_what_cannot_be_generated_is_refused(versions, tmp_path):
    def write(path, **options):
        write_subscribers(path, **{"currency": "EUR", "count": 1, "seed": 1, "as_of": AS_OF, **options})

    with pytest.raises(CountRefused):
        write(tmp_path / "f.parquet", versions=versions, count=0)
    with pytest.raises(FileNotWritten, match=r"a \.parquet file is written"):
        write(tmp_path / "f.csv", versions=versions)
    with pytest.raises(FileNotWritten, match="cannot be written"):
        write(tmp_path / "none" / "f.parquet", versions=versions)
    with pytest.raises(NothingToSell):
        write(tmp_path / "f.parquet", versions=_versions(parse_text("products: []")))
