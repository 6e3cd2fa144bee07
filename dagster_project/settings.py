"""Every setting of Kido, typed; the only module that reads the environment.

An invalid value raises ConfigurationError with one sentence that names the variable.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from dagster_project.errors import ConfigurationError
from dagster_project.lake.scope import CommodityScope

CHECKOUT = Path(__file__).resolve().parents[1]
"""The checkout: it contains `dagster_project/` and `dbt/`."""

BUNDLED = CHECKOUT / "dagster_project" / "bundled"
DBT_PROJECT = CHECKOUT / "dbt"


def _iso_date(value: object) -> object:
    """The day of a text like 2026-02-06, the format of `--as-of`; any other value as it is."""
    if isinstance(value, str):
        try:
            return datetime.strptime(value.strip(), "%Y-%m-%d").date()
        except ValueError:
            raise ValueError(f"{value!r} is not a day like 2026-02-06") from None
    return value


def day_from(text: str, field: str) -> date:
    """The day of a text like 2026-02-06; raises ConfigurationError that names the field."""
    try:
        return TypeAdapter(IsoDate).validate_python(text)
    except ValidationError as error:
        raise ConfigurationError(f"{field}: {_reason(error)}.") from None


def _stripped(value: object) -> object:
    """Remove blanks around a key, which are a copying error; None for a blank key."""
    return value.strip() or None if isinstance(value, str) else value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an address that begins with http:// or https://")
    return value


def _codes(value: object) -> object:
    """Codes in upper case, from a text with commas; any other value as it is."""
    if isinstance(value, str):
        return tuple(code.strip().upper() for code in value.split(",") if code.strip())
    return value


def _hosts(value: object) -> object:
    """Names of hosts, from a text with commas; any other value as it is."""
    if not isinstance(value, str):
        return value
    hosts = tuple(host.strip() for host in value.split(",") if host.strip())
    for host in hosts:
        if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:]+", host):
            raise ValueError(
                f"{host!r} is not a host like kido.example.org, without scheme or port"
            )
    return hosts


NO_IMPORTERS = ("WLD", "_X")
"""Codes in the list of economies that import nothing: the world, and what is not published."""

NOT_IN_HOME = "%?*[]"
"""Characters that may not be in the path of the home: `?` begins the parameters of an address of
SQLite, which would then be another file; the others are patterns."""

MAX_SUGGESTIONS = 3
MIN_SIMILARITY = 0.7
"""Economies suggested for a misspelt one: their number, and their similarity (`difflib`)."""


def _economy(value: object) -> object:
    """The code of an economy, from its code or its name; any other value as it is."""
    if not isinstance(value, str):
        return value
    from dagster_project.lake.vocabulary import economies, economies_by_name, economy_names

    given = " ".join(value.split())
    named = {name: code for name, code in economies_by_name().items() if code not in NO_IMPORTERS}
    codes = {code.casefold(): code for code in economies() if code not in NO_IMPORTERS}
    known = named | codes
    if given.casefold() in known:
        return known[given.casefold()]
    names = economy_names()
    near = difflib.get_close_matches(
        given.casefold(), known, n=MAX_SUGGESTIONS, cutoff=MIN_SIMILARITY
    )
    suggestions = list(dict.fromkeys(f"{known[word]} ({names[known[word]]})" for word in near))
    nearest = (
        f"; the nearest {'is' if len(suggestions) == 1 else 'are'} {' and '.join(suggestions)}"
    )
    raise ValueError(
        f"{given!r} is not the code or the name of an economy{nearest if suggestions else ''}"
    )


def economy_from(text: str, field: str) -> str:
    """The code of an economy, from its code or its name.

    Raises ConfigurationError that names the field and similar economies.
    """
    try:
        return TypeAdapter(Economy).validate_python(text)
    except ValidationError as error:
        raise ConfigurationError(f"{field}: {_reason(error)}.") from None


def _scope(value: object) -> object:
    return CommodityScope.named(value) if isinstance(value, str) else value


_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _bytes(value: object) -> object:
    """The bytes of a text like 4GB; any other value as it is."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]B)", value.strip().upper())
    if match is None or not float(match[1]):
        raise ValueError(f"{value!r} is not an amount of memory like 4GB")
    return int(float(match[1]) * _UNITS[match[2]])


def _memory_of_the_machine() -> int:
    """Bytes of memory of the machine, or of its container if that is limited to less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text("utf8").strip()
    except OSError:
        return machine
    return min(machine, int(allowed)) if allowed.isdecimal() else machine


SettingsType = TypeVar("SettingsType", bound=BaseSettings)
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Economy = Annotated[str, BeforeValidator(_economy)]


class SourceSettings(BaseSettings):
    """Settings of one source: `KIDO_<SOURCE>_URL`, `_KEY` and `_ENABLED`."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    url: str | None = None
    """Scheme, host and port that replace the publisher's in all its addresses (a mirror, a proxy);
    a path in it precedes theirs."""
    key: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None
    """Credential, for publishers that require one."""
    enabled: bool | None = None
    """Whether to fetch. Unset: a build fetches if a key is needed and set, `kido fetch` without a
    name also if none is needed."""
    reporters: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_codes)] = ()
    """Economies (ISO 3166 alpha-3, separated by commas) to fetch; all of them if empty."""
    rows_per_call: PositiveInt | None = None
    """Maximum rows of one answer; the value of the source's card if unset."""
    calls_per_minute: PositiveInt | None = None
    calls_per_day: PositiveInt | None = None
    """Calls that the subscription allows; the value of the source's card if unset."""


class _AlertSettings(BaseSettings):
    """The addresses of messages alone."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    alerts: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None


class Settings(BaseSettings):
    """Folders, the day the warehouse is built for, and limits of a run."""

    model_config = SettingsConfigDict(env_prefix="KIDO_", extra="ignore", env_ignore_empty=True)

    home: Path = CHECKOUT / "data"
    landing_url: str = ""
    lake_url: str = ""
    as_of: IsoDate | None = None
    scope: Annotated[CommodityScope, NoDecode, BeforeValidator(_scope)] = CommodityScope()
    """Commodities to fetch and store: `minerals`, `all`, or prefixes of HS codes."""
    reconciled_shares: bool = True
    """Whether flows that Kido reconciles feed shares where nobody's own figures do."""
    importer: Economy = "JPN"
    """The economy whose page of answers is shown, by its code (ISO 3166 alpha-3) or its name."""
    timeout_s: PositiveFloat = 60
    """Seconds without data after which a request fails."""
    memory: Annotated[int, BeforeValidator(_bytes)] = Field(
        default_factory=lambda: min(_memory_of_the_machine() // 2, 4 * _UNITS["GB"])
    )
    """Bytes of memory that DuckDB may use to build, compare and publish; it spills the rest. 4 GB
    are enough for a year of all products, which takes as long with 12 GB (benchmarks/rows.py)."""
    query_timeout_s: NonNegativeFloat = 600
    """Seconds after which `kido query` stops a query; with 0 it never does."""
    retry_after_s: NonNegativeFloat = 60
    """Seconds until a run asks a publisher again that gave no answer; they grow with each try. With
    0 a run asks once."""
    keep_runs_days: PositiveInt = 90
    """Days for which `kido clean` keeps a run and its events."""
    keep_quarantine_days: PositiveInt = 180
    """Days for which it keeps rejected answers and quarantined rows."""
    keep_parts_days: PositiveInt = 30
    """Days for which it keeps the parts of an unfinished download or landing."""
    alerts: Annotated[SecretStr | None, BeforeValidator(_stripped)] = None
    """Addresses of Apprise that receive messages, separated by blanks or commas."""
    ui_url: Annotated[str, AfterValidator(_web_address)] = "http://127.0.0.1:3000"
    """Address of the Dagster UI, for links in messages; a browser may use it to ask for the UI."""
    ui_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = ()
    """Further hosts by which a browser may ask for the UI, separated by commas."""
    backup_dir: Path | None = None
    """Folder whose last backup `kido doctor` looks at."""
    check_names: bool = True
    """Whether a `KIDO_` variable that names no setting is an error."""

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the environment; `overrides` take precedence. Raises ConfigurationError."""
        settings = _read(cls, "KIDO_", **overrides)
        settings.home = settings.home.expanduser().absolute()
        wrong = sorted(set(str(settings.home)) & set(NOT_IN_HOME))
        if wrong:
            raise ConfigurationError(
                f"KIDO_HOME: {settings.home} has {' '.join(wrong)} in it, which SQLite's addresses "
                "or DuckDB's patterns read as something else.",
                hint="Choose another folder.",
            )
        settings.landing_url = settings.landing_url or str(settings.home / "landing")
        settings.lake_url = settings.lake_url or str(settings.home / "lake")
        return settings

    @classmethod
    def load_alerts(cls) -> Settings:
        """Settings that have only `alerts`: an invalid value of another one is not read."""
        return cls.model_construct(alerts=_read(_AlertSettings, "KIDO_").alerts)

    def source(self, name: str) -> SourceSettings:
        """Settings of the source of that name."""
        return _read(SourceSettings, f"KIDO_{name.upper()}_")

    def is_fetched(self, name: str, base_url: str | None, needs_key: bool) -> bool:
        """Whether a build fetches from a publisher: it is enabled, or has the key that it needs.

        Raises ConfigurationError if a source without an address is enabled.
        """
        own = self.source(name)
        if base_url is None:
            if own.enabled:
                raise ConfigurationError(
                    f"KIDO_{name.upper()}_ENABLED: {name} cannot be fetched; land its files with "
                    "kido land."
                )
            return False
        return needs_key and own.key is not None if own.enabled is None else own.enabled

    def require_known_names(self, sources: tuple[str, ...]) -> None:
        """Raise ConfigurationError for a `KIDO_` variable that no setting reads."""
        for error in self.unknown_names(sources):
            raise error

    def unknown_names(self, sources: tuple[str, ...]) -> Iterator[ConfigurationError]:
        """An error for each `KIDO_` variable that no setting reads."""
        if not self.check_names:
            return
        known = {f"KIDO_{name.upper()}" for name in type(self).model_fields}
        known |= {
            f"KIDO_{source.upper()}_{name.upper()}"
            for source in sources
            for name in SourceSettings.model_fields
        }
        for name in sorted(os.environ):
            if name.startswith("KIDO_") and name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                yield ConfigurationError(
                    f"{name} is not a setting.",
                    hint=f"Did you mean {close[0]}?" if close else "See README, Settings.",
                )

    _started_on: date | None = PrivateAttr(default=None)
    _is_published_as_today: bool = PrivateAttr(default=False)

    @property
    def started_on(self) -> date | None:
        """The day the run started; null for settings outside a run."""
        return self._started_on

    @started_on.setter
    def started_on(self, day: date) -> None:
        self._started_on = day

    @cached_property
    def run_day(self) -> date:
        """The day (UTC) on which the run started; outside a run, today."""
        return self._started_on or datetime.now(UTC).date()

    @property
    def today(self) -> date:
        """The day (UTC) the warehouse is built for: `as_of`, else `run_day`."""
        return self.as_of or self.run_day

    def require_separate(self, folder: Path) -> None:
        """Raise ConfigurationError for a folder inside the home or the landing, or around them."""
        for own in self.folders:
            if folder.is_relative_to(own) or own.is_relative_to(folder):
                raise ConfigurationError(
                    f"{folder} and {own} overlap.",
                    hint="Choose a folder of its own, best on another disk.",
                )
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(f"{folder} is not a folder.")

    def require_past_or_today(self) -> None:
        """Raise ConfigurationError if the day to build for is in the future."""
        if self.today > self.run_day:
            raise ConfigurationError(
                f"{self.today} is in the future: nothing is known after {self.run_day} (UTC)."
            )

    def publish_as_today(self) -> None:
        """Let a build of another day replace the file that readers use, like a build of today."""
        self._is_published_as_today = True

    @property
    def is_published_as_today(self) -> bool:
        return self._is_published_as_today

    @property
    def is_replay(self) -> bool:
        """Whether a build is of another day and published beside the file that readers use."""
        return self.today != self.run_day and not self._is_published_as_today

    @property
    def as_of_instant(self) -> datetime:
        """The last instant of `today` (UTC, no zone); a build uses nothing retrieved later."""
        return datetime.combine(self.today + timedelta(days=1), time()) - timedelta(microseconds=1)

    @property
    def published_file(self) -> Path:
        """The published file that readers use."""
        return self.home / "kido.duckdb"

    @property
    def replays_dir(self) -> Path:
        return self.home / "as_of"

    @property
    def replay_file(self) -> Path:
        """The published file of a replay of `today`."""
        return self.replays_dir / f"kido-{self.today.isoformat()}.duckdb"

    @property
    def file_of_the_day(self) -> Path:
        """The file that a build with these settings publishes."""
        return self.replay_file if self.is_replay else self.published_file

    @property
    def folders(self) -> list[Path]:
        """The folders of this machine that Kido writes to; each may be on its own disk."""
        roots = (self.landing_url, self.lake_url)
        return [self.home, *(Path(root) for root in roots if "://" not in root)]

    @property
    def build_dir(self) -> Path:
        return self.home / "build"

    @property
    def releases_dir(self) -> Path:
        return self.home / "releases"

    @property
    def quarantine_dir(self) -> Path:
        return self.home / "quarantine"

    @property
    def intake_dir(self) -> Path:
        """Downloads in progress, and the number of calls sent to each publisher."""
        return self.home / "intake"

    @property
    def spool_dir(self) -> Path:
        """Rows of a batch that is too large for memory, before they are written to the lake."""
        return self.intake_dir / "spool"

    @property
    def lake_cache_dir(self) -> Path:
        """Cached files of a lake that is not on this machine."""
        return self.home / "cache" / "lake"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"


def _read(kind: type[SettingsType], prefix: str, **overrides: object) -> SettingsType:
    try:
        return kind(_env_prefix=prefix, **overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        name = prefix + str(error.errors()[0]["loc"][0]).upper().removeprefix(prefix)
        raise ConfigurationError(f"{name}: {_reason(error)}.") from None


def _reason(error: ValidationError) -> str:
    return str(error.errors()[0]["msg"]).removeprefix("Value error, ")
