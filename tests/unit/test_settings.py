"""A wrong setting is one clear sentence that names the variable."""

from datetime import date, datetime
from pathlib import Path

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.settings import Settings, economy_from


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("KIDO_"):
            monkeypatch.delenv(name)


def test_everything_is_under_the_home_unless_an_address_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.setenv("KIDO_LAKE_URL", "memory://lake")
    settings = Settings.load()
    assert settings.landing_url == str(tmp_path / "landing")
    assert settings.lake_url == "memory://lake"
    assert settings.published_file == tmp_path / "kido.duckdb"


def test_as_of_counts_to_the_end_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_AS_OF", "2026-02-06")
    settings = Settings.load()
    assert settings.today == date(2026, 2, 6)
    assert settings.as_of_instant == datetime(2026, 2, 6, 23, 59, 59, 999999)


@pytest.mark.parametrize(
    ("name", "value", "output"),
    [
        ("KIDO_AS_OF", "2026-13-01", "KIDO_AS_OF: '2026-13-01' is not a day like 2026-02-06."),
        ("KIDO_AS_OF", "20260206", "KIDO_AS_OF: '20260206' is not a day like 2026-02-06."),
        ("KIDO_AS_OF", "yesterday", "KIDO_AS_OF: 'yesterday' is not a day like 2026-02-06."),
        ("KIDO_MEMORY", "4", "KIDO_MEMORY: '4' is not an amount of memory like 4GB."),
        ("KIDO_MEMORY", "0GB", "KIDO_MEMORY: '0GB' is not an amount of memory like 4GB."),
        ("KIDO_MEMORY", "half", "KIDO_MEMORY: 'half' is not an amount of memory like 4GB."),
    ],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, output: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        Settings.load()
    assert str(error.value) == output


@pytest.mark.parametrize(
    ("value", "amount"),
    [("4GB", 4_000_000_000), ("1.5 gb", 1_500_000_000), ("800MB", 800_000_000)],
)
def test_memory_is_an_amount_with_its_unit(
    monkeypatch: pytest.MonkeyPatch, value: str, amount: int
) -> None:
    monkeypatch.setenv("KIDO_MEMORY", value)
    assert Settings.load().memory == amount


def test_without_a_setting_half_of_the_memory_may_be_held() -> None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        pytest.skip("this system does not say how much memory it has")
    machine = int(meminfo.read_text("utf8").split()[1]) * 1024
    assert 0 < Settings.load().memory <= machine // 2


def test_a_source_reads_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_ECB_ENABLED", "maybe")
    with pytest.raises(ConfigurationError, match="KIDO_ECB_ENABLED"):
        Settings.load().source("ecb")


def test_a_source_without_an_address_cannot_be_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load()
    assert not settings.is_fetched("baci", None, needs_key=False)
    monkeypatch.setenv("KIDO_BACI_ENABLED", "false")
    assert not settings.is_fetched("baci", None, needs_key=False)
    monkeypatch.setenv("KIDO_BACI_ENABLED", "true")
    with pytest.raises(ConfigurationError) as error:
        settings.is_fetched("baci", None, needs_key=False)
    assert str(error.value) == (
        "KIDO_BACI_ENABLED: baci cannot be fetched; land its files with kido land."
    )


def test_a_source_is_asked_within_its_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Settings.load().source("ecb")
    assert (plain.reporters, plain.url, plain.key) == ((), None, None)
    assert (plain.rows_per_call, plain.calls_per_minute, plain.calls_per_day) == (None, None, None)
    monkeypatch.setenv("KIDO_ECB_URL", "http://127.0.0.1:8080/mirror")
    monkeypatch.setenv("KIDO_ECB_REPORTERS", " jpn,USA,, deu ")
    monkeypatch.setenv("KIDO_ECB_ROWS_PER_CALL", "500")
    monkeypatch.setenv("KIDO_ECB_CALLS_PER_MINUTE", "10")
    monkeypatch.setenv("KIDO_ECB_CALLS_PER_DAY", "100")
    own = Settings.load().source("ecb")
    assert own.url == "http://127.0.0.1:8080/mirror"
    assert own.reporters == ("JPN", "USA", "DEU")
    assert (own.rows_per_call, own.calls_per_minute, own.calls_per_day) == (500, 10, 100)


@pytest.mark.parametrize("name", ["ROWS_PER_CALL", "CALLS_PER_MINUTE", "CALLS_PER_DAY"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_limit_that_allows_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"KIDO_ECB_{name}", value)
    with pytest.raises(ConfigurationError, match=f"^KIDO_ECB_{name}: "):
        Settings.load().source("ecb")


@pytest.mark.parametrize("value", ["0", "-5", "soon"])
def test_an_invalid_silence_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KIDO_TIMEOUT_S", value)
    with pytest.raises(ConfigurationError, match=r"^KIDO_TIMEOUT_S: "):
        Settings.load()


def test_a_source_that_needs_a_key_is_fetched_once_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "https://example.org"
    assert not Settings.load().is_fetched("comtrade", address, needs_key=True)
    monkeypatch.setenv("KIDO_COMTRADE_KEY", "s3cret")
    assert Settings.load().is_fetched("comtrade", address, needs_key=True)
    assert not Settings.load().is_fetched("comtrade", address, needs_key=False)
    monkeypatch.setenv("KIDO_COMTRADE_ENABLED", "false")
    assert not Settings.load().is_fetched("comtrade", address, needs_key=True)


@pytest.mark.parametrize("field", ["URL", "KEY", "ENABLED", "REPORTERS", "ROWS_PER_CALL",
                                   "CALLS_PER_MINUTE", "CALLS_PER_DAY"])  # fmt: skip
def test_every_setting_of_a_source_is_known(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setenv(f"KIDO_ECB_{field}", "1")
    Settings.load().require_known_names(("ecb",))
    with pytest.raises(ConfigurationError, match=f"KIDO_ECB_{field} is not a setting"):
        Settings.load().require_known_names(("fred",))


def test_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_ECB_KEY", "s3cret")
    assert "s3cret" not in repr(Settings.load().source("ecb"))


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIDO_ECB_ENABLE", "true")
    with pytest.raises(ConfigurationError) as error:
        Settings.load().require_known_names(("ecb",))
    assert str(error.value) == "KIDO_ECB_ENABLE is not a setting. Did you mean KIDO_ECB_ENABLED?"


def test_a_build_for_another_day_than_the_run_started_on_is_a_replay(tmp_path: Path) -> None:
    def settings(started_on: date, as_of: date | None) -> Settings:
        found = Settings.load(home=tmp_path, **({"as_of": as_of} if as_of else {}))
        found.started_on = started_on
        return found

    first, second = date(2025, 3, 1), date(2025, 3, 2)
    for today in (settings(first, None), settings(first, first)):
        assert not today.is_replay
        assert today.file_of_the_day == tmp_path / "kido.duckdb"
    # Asked for before midnight, started after it.
    replay = settings(second, first)
    assert replay.is_replay
    assert replay.file_of_the_day == tmp_path / "as_of" / "kido-2025-03-01.duckdb"
    replay.publish_as_today()
    assert not replay.is_replay
    assert replay.file_of_the_day == tmp_path / "kido.duckdb"


@pytest.mark.parametrize("given", ["DEU", "deu", " Germany ", "GERMANY"])
def test_an_importer_is_given_by_its_code_or_its_name(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    assert Settings.load().importer == "JPN"
    monkeypatch.setenv("KIDO_IMPORTER", given)
    assert Settings.load().importer == "DEU"


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("Germny", "; the nearest are DEU (Germany) and GGY (Guernsey)"),
        ("Viet Nm", "; the nearest is VNM (Viet Nam)"),
        ("QQQQQ", ""),
        ("WLD", ""),
    ],
)
def test_an_importer_that_is_no_economy_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, given: str, nearest: str
) -> None:
    monkeypatch.setenv("KIDO_IMPORTER", given)
    with pytest.raises(ConfigurationError) as error:
        Settings.load()
    assert str(error.value) == (
        f"KIDO_IMPORTER: {given!r} is not the code or the name of an economy{nearest}."
    )
    with pytest.raises(ConfigurationError) as error:
        economy_from(given, "IMPORTER")
    assert str(error.value).startswith(f"IMPORTER: {given!r} is not")


@pytest.mark.parametrize("address", ["ui.example.org", "javascript:alert(1)", "https://", "3000"])
def test_the_address_of_the_ui_is_one_of_the_web(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_UI_URL", address)
    with pytest.raises(ConfigurationError, match=r"KIDO_UI_URL: .*http:// or https://"):
        Settings.load()


@pytest.mark.parametrize("name", ["a?b", "50%", "a*", "a[1]"])
def test_a_home_that_sqlite_or_duckdb_would_misread_is_refused(name: str, tmp_path: Path) -> None:
    """`?` begins the parameters of SQLite's address: the file would be outside the home."""
    with pytest.raises(ConfigurationError, match=r"KIDO_HOME: .* Choose another folder"):
        Settings.load(home=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a#b", "a b", "Größe", "it's"])
def test_other_signs_in_a_home_are_used_as_they_are(name: str, tmp_path: Path) -> None:
    from dagster_project.orchestration.execute import open_instance
    from tests.unit.serving.test_publication import publish, published_close

    settings = Settings.load(home=tmp_path / name)
    publish(settings, 0, 150.0)
    publish(settings, 1, 151.0)
    assert published_close(settings) == 151.0
    with open_instance(settings) as instance:
        assert instance.get_runs_count() == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
