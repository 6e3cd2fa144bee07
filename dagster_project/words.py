"""The words that are values of columns: each list once, for schemas, sources, suites and docs.

Only Kido's own words. Lists of codes (economies, instruments, groups of minerals) are edited by
hand, in `lake/vocabulary.py`; a publisher's own names are mapped in its source.

Each list is a type, so that it is checked where it is used, and a tuple of the same words.
Blocks of docs are generated from the tuples (`orchestration/dbt_files.py`): a column's description
can use `{{ doc('stages') }}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

# Trade.

DeclaredFlow = Literal["import", "export"]
DECLARED_FLOWS: tuple[DeclaredFlow, ...] = get_args(DeclaredFlow)
"""The two sides of a trade; the other flows are returned goods."""

Flow = Literal[DeclaredFlow, "re_import", "re_export"]
FLOWS: tuple[Flow, ...] = get_args(Flow)

Measure = Literal["value_usd", "net_weight_kg"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

RevisedMeasure = Literal[Measure, "close"]
REVISED_MEASURES: tuple[RevisedMeasure, ...] = get_args(RevisedMeasure)
"""What of a series may change from one vintage to the next: of trade, and of prices."""

RevisionKind = Literal["revision", "precision"]
REVISION_KINDS: tuple[RevisionKind, ...] = get_args(RevisionKind)
"""Another figure, or the same one printed with more or fewer digits."""

Valuation = Literal["CIF", "FOB"]
VALUATIONS: tuple[Valuation, ...] = get_args(Valuation)

CodeScheme = Literal["comtrade", "japan_customs", "eurostat", "hmrc", "comexstat"]
CODE_SCHEMES: tuple[CodeScheme, ...] = get_args(CodeScheme)
"""Publishers whose codes of economies are listed."""

ConversionReason = Literal["no_value", "before_the_euro", "rates_incomplete"]
CONVERSION_REASONS: tuple[ConversionReason, ...] = get_args(ConversionReason)
"""Why a value of customs is not converted into dollars: none is printed, there were no rates of the
euro, or the rates of the month are not complete."""

ConcordanceBasis = Literal["same_goods", "merged", "split", "not_known"]
CONCORDANCE_BASES: tuple[ConcordanceBasis, ...] = get_args(ConcordanceBasis)
"""How a code of one edition of the HS is related to a code of another."""

FlowBasis = Literal["two_sided", "exporter_only", "importer_only"]
FLOW_BASES: tuple[FlowBasis, ...] = get_args(FlowBasis)
"""Whose reports a reconciled flow is made from."""

WeightReason = Literal[
    "re_export", "confidential", "product_code", "timing", "quantity_unit", "unexplained"
]
WEIGHT_REASONS: tuple[WeightReason, ...] = get_args(WeightReason)
"""Why the weights of two sides differ: the first rule that holds."""

MirrorReason = Literal["freight_and_insurance", WeightReason]
MIRROR_REASONS: tuple[MirrorReason, ...] = get_args(MirrorReason)
"""Why the values of two sides differ: the first rule that holds."""

HS_EDITIONS = tuple(f"HS{year}" for year in (1988, 1992, 1996, 2002, 2007, 2012, 2017, 2022, 2028))

# Periods.

Frequency = Literal["A", "M"]
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
PriceFrequency = Literal["D", "M", "A"]
PRICE_FREQUENCIES: tuple[PriceFrequency, ...] = get_args(PriceFrequency)
SLICE_FREQUENCIES = (*FREQUENCIES, "D")

DatePrecision = Literal["day", "month", "year"]
DATE_PRECISIONS: tuple[DatePrecision, ...] = get_args(DatePrecision)

WindowOfAFixedStart = Literal["since_2025_06_30", "all"]
"""Windows that begin on a fixed day, so that they can be computed as of an earlier day."""

Window = Literal["since_2025_06_30", "ytd", "1y", "3y", "all"]
WINDOWS: tuple[Window, ...] = get_args(Window)

Cadence = Literal["daily", "monthly", "annual", "edited by hand"]
CADENCES: tuple[Cadence, ...] = get_args(Cadence)

Domain = Literal["trade", "prices", "restrictions", "production_and_uses"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
"""What the figures of a source are about: its group in the UI, and the team that owns it."""

# Minerals.

StageOfOutput = Literal["extraction", "processing"]
STAGES_OF_OUTPUT: tuple[StageOfOutput, ...] = get_args(StageOfOutput)
"""The mine and the refinery; reserves and capacity are not the output of a year."""

Stage = Literal[StageOfOutput, "reserves", "capacity"]
STAGES: tuple[Stage, ...] = get_args(Stage)

TradeGroupReason = Literal["no_code_followed", "code_of_several_minerals"]
TRADE_GROUP_REASONS: tuple[TradeGroupReason, ...] = get_args(TradeGroupReason)
"""Why a material of production has no mineral group of trade: none of the codes that are followed
has it, or one that has others as well."""

DependencyReason = Literal[
    "production_not_known", "no_exports", "no_exports_and_no_production_known"
]  # fmt: skip
DEPENDENCY_REASONS: tuple[DependencyReason, ...] = get_args(DependencyReason)
"""Why an indicator of strategic dependency is null."""

RelianceReason = Literal[
    "weights_missing", "production_not_known", "no_conversion", "exports_exceed_supply"
]  # fmt: skip
RELIANCE_REASONS: tuple[RelianceReason, ...] = get_args(RelianceReason)
"""Why an import reliance is null: the first that applies."""

ReferenceMass = Literal["gross", "oxide", "metal"]
REFERENCE_MASSES: tuple[ReferenceMass, ...] = get_args(ReferenceMass)
"""What imports, exports and production are weighed as, so that they add up."""

RiskMethod = Literal["ec_2017", "ec_2011", "geometric_mean"]
RISK_METHODS: tuple[RiskMethod, ...] = get_args(RiskMethod)
"""How a supply risk is computed: as the European Commission does since 2017 or did before, or as a
geometric mean of three factors."""

StageOfAssessment = Literal[StageOfOutput, "not_stated"]
STAGES_OF_ASSESSMENT: tuple[StageOfAssessment, ...] = get_args(StageOfAssessment)
"""The stage that an assessment is of; some studies print one result and not its stage."""

HubAssumption = Literal[
    "imports_and_production", "production_of_some_hubs", "imports_alone", "no_hub", "not_known"
]  # fmt: skip
HUB_ASSUMPTIONS: tuple[HubAssumption, ...] = get_args(HubAssumption)
"""What the mix of a hub's exports is taken from."""

ProjectStage = Literal["mine", "separation", "metal", "magnet"]
PROJECT_STAGES: tuple[ProjectStage, ...] = get_args(ProjectStage)
"""The stage of a supply project's product, in the order of the chain."""

ReliefMaterial = Literal["rare_earth_oxides", "ndpr_oxide", "dy_tb_oxide", "metal", "magnets"]
RELIEF_MATERIALS: tuple[ReliefMaterial, ...] = get_args(ReliefMaterial)
"""What a user buys of a supply project."""

ProjectBasis = Literal[ReliefMaterial, "feedstock", "concentrate", "mud", "not_stated"]
PROJECT_BASES: tuple[ProjectBasis, ...] = get_args(ProjectBasis)
"""What the tonnes of a capacity are of; never added across."""

ProjectFigure = Literal["capacity", "output", "contract", "shipments"]
PROJECT_FIGURES: tuple[ProjectFigure, ...] = get_args(ProjectFigure)
"""What the tonnes of a supply project say: only capacities are added."""

ProjectStatus = Literal["operating", "building", "planned", "proposed", "trial"]
PROJECT_STATUSES: tuple[ProjectStatus, ...] = get_args(ProjectStatus)
"""How far a supply project is; `proposed` is without a decision, or in doubt."""

DepositFigure = Literal["grade_max", "grade_mean", "resource", "years_of_demand"]
DEPOSIT_FIGURES: tuple[DepositFigure, ...] = get_args(DepositFigure)
"""What is published of a deposit: parts per million, tonnes of oxides, or years of demand."""

Qualifier = Literal["at_least", "about", "below"]
QUALIFIERS: tuple[Qualifier, ...] = get_args(Qualifier)
"""How a source qualifies a figure."""

ReliefScenario = Literal["trial", "commercial", "as_announced"]
RELIEF_SCENARIOS: tuple[ReliefScenario, ...] = get_args(ReliefScenario)
"""What a supply project is taken to do."""

AssumptionBasis = Literal["published", "assumed"]
ASSUMPTION_BASES: tuple[AssumptionBasis, ...] = get_args(AssumptionBasis)
"""Whether a figure behind a scenario was published, or is Kido's own."""

ConsumptionBasis = Literal["cited", "imports_production_exports", "imports_alone"]
CONSUMPTION_BASES: tuple[ConsumptionBasis, ...] = get_args(ConsumptionBasis)
"""What an importer's use of a material is taken from."""

ReliefReason = Literal[
    "production_not_known", "exports_not_known", "net_exporter", "no_code_of_the_material",
    "no_weights", "buyer_not_known",
]  # fmt: skip
RELIEF_REASONS: tuple[ReliefReason, ...] = get_args(ReliefReason)
"""Why an importer's use is of its imports alone, or not known."""

HubReason = Literal["no_flows_of_hubs"]
HUB_REASONS: tuple[HubReason, ...] = get_args(HubReason)
"""Why what comes through hubs is not known."""

ProductionReason = Literal["no_material_of_code", "not_published"]
PRODUCTION_REASONS: tuple[ProductionReason, ...] = get_args(ProductionReason)
"""Why a supplier's production of what a code is traded from is not known."""

HubShareReason = Literal[
    "no_mineral_group", "no_top_supplier", "is_top_supplier", "no_imports_known"
]  # fmt: skip
HUB_SHARE_REASONS: tuple[HubShareReason, ...] = get_args(HubShareReason)
"""Why it is not known how much of a supplier's own imports is an importer's largest supplier's:
the first that applies."""

RankingReason = Literal[
    TradeGroupReason, "no_imports_known", "no_reliance", "reliance_not_known",
    "governance_not_known", "recycling_not_known",
]  # fmt: skip
RANKING_REASONS: tuple[RankingReason, ...] = get_args(RankingReason)
"""Why a supply risk is null, of the world's supply alone, or of an economy that relies on nobody:
the first that applies."""

RiskFactor = Literal[
    "hhi_global_supply", "hhi_consumer_sourcing", "import_reliance", "eol_recycling_rate",
    "substitution_index", "economic_importance", "disruption_potential", "trade_exposure",
    "economic_vulnerability",
]  # fmt: skip
RISK_FACTORS: tuple[RiskFactor, ...] = get_args(RiskFactor)
"""The inputs of a supply risk, any of which may be missing."""

Bound = Literal["exact", "below", "above", "range"]
BOUNDS: tuple[Bound, ...] = get_args(Bound)

FigureFlag = Literal[
    "reported", "estimated", "zero", "withheld", "not_available", "not_applicable"
]  # fmt: skip
FIGURE_FLAGS: tuple[FigureFlag, ...] = get_args(FigureFlag)

ContentBasis = Literal["metal", "oxide", "ore", "gross"]
CONTENT_BASES: tuple[ContentBasis, ...] = get_args(ContentBasis)
"""What a tonnage weighs: the element in the goods, its oxide, the ore, or the goods as they are."""

Reservoir = Literal["upper_crust", "bulk_crust", "crust"]
RESERVOIRS: tuple[Reservoir, ...] = get_args(Reservoir)

SupplyUsed = Literal["global_and_consumer", "global", "consumer"]
SUPPLY_USED: tuple[SupplyUsed, ...] = get_args(SupplyUsed)

MINERAL_FAMILIES = ("light_rare_earth", "heavy_rare_earth", "other")
PRODUCT_FORMS = ("ore", "compound", "metal", "magnet", "material", "other")
INSTRUMENT_KINDS = ("fx", "etf", "equity", "commodity", "index")

MarketFactor = Literal["index", "peers_basket"]
MARKET_FACTORS: tuple[MarketFactor, ...] = get_args(MarketFactor)
"""What represents the market of an instrument: an index of it, or a basket of its peers."""

UnitValueSide = Literal["china_fob", "ex_china"]
UNIT_VALUE_SIDES: tuple[UnitValueSide, ...] = get_args(UnitValueSide)
"""Whose trade a unit value is of: China's exports, or an importer's imports from all others."""

# Restrictions.

ListClass = Literal["critical", "strategic", "supported", "watch"]
LIST_CLASSES: tuple[ListClass, ...] = get_args(ListClass)
"""What a list says of its materials: the economy needs them; its plans, defence or stockpile need
them; it supports projects of them; or it observes them."""

ListConfidence = Literal["verified in stored page", "from knowledge", "disputed"]
LIST_CONFIDENCES: tuple[ListConfidence, ...] = get_args(ListConfidence)
"""How it is known that a list names a material: a page or a stored copy of it was read, none was,
or sources contradict each other."""

Direction = Literal["restrict", "monitor", "relax", "permit"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

TargetClass = Literal["all", "economy", "end_user", "entity"]
TARGET_CLASSES: tuple[TargetClass, ...] = get_args(TargetClass)

EvidenceClass = Literal["official", "reported", "de_facto"]
EVIDENCE_CLASSES: tuple[EvidenceClass, ...] = get_args(EvidenceClass)
"""The best evidence first."""

Reach = Literal["direct", "extraterritorial"]
REACHES: tuple[Reach, ...] = get_args(Reach)
"""Which goods a clause regulates: those that leave the economy that took it, or third countries."""

ScopeBasis = Literal["ten_digit_list", "element_split", "heading", "whole_code"]
SCOPE_BASES: tuple[ScopeBasis, ...] = get_args(ScopeBasis)

MeasureStatus = Literal["announced", "in_force", "suspended", "ended", "unknown"]
MEASURE_STATUSES: tuple[MeasureStatus, ...] = get_args(MeasureStatus)

InferredColumn = Literal[
    "announced_date", "effective_date", "ended_date", "known_at", "official_reference", "title",
    "implementer_iso3", "target_iso3", "target_class", "target_name", "gta_code", "direction",
    "evidence_class", "source_url",
]  # fmt: skip
INFERRED_COLUMNS: tuple[InferredColumn, ...] = get_args(InferredColumn)
"""Columns of `exposure.measures` whose value may be ours and not read in a source."""

BaselineReason = Literal["before_announcement", "not_reported", "across_a_break"]
BASELINE_REASONS: tuple[BaselineReason, ...] = get_args(BaselineReason)
"""Why a month has no baseline: it is itself before the announcement, no figure is reported for the
same month of the two years before, or the code covered other goods then."""

CurrentReason = Literal["no_figures", "older_than_baseline"]
CURRENT_REASONS: tuple[CurrentReason, ...] = get_args(CurrentReason)
"""Why it is not known what a clause hits today."""

ExposureReason = Literal["no_figures", "exports_only", "largest_flows_only"]
EXPOSURE_REASONS: tuple[ExposureReason, ...] = get_args(ExposureReason)
"""Why the amounts or shares of an exposure are null: there are no figures, only the exports of the
economy that restricts, or only a list of the largest flows."""

SignalOfFigures = Literal["volume_drop", "price_surge", "concentration_jump"]
SIGNALS_OF_FIGURES: tuple[SignalOfFigures, ...] = get_args(SignalOfFigures)

WarningSignal = Literal[
    SignalOfFigures, "new_restriction", "lapse_ahead", "lapsed_unknown", "new_notice"
]
WARNING_SIGNALS: tuple[WarningSignal, ...] = get_args(WarningSignal)

WarningSeverity = Literal["low", "medium", "high"]
WARNING_SEVERITIES: tuple[WarningSeverity, ...] = get_args(WarningSeverity)

WarningBasis = Literal["comparable_periods", "periods_before"]
WARNING_BASES: tuple[WarningBasis, ...] = get_args(WarningBasis)

UNITS_OF_WARNINGS = (
    "kg", "usd", "usd_per_kg", "share_of_weight", "share_of_value", "days", "notices",
)  # fmt: skip

BacktestVerdict = Literal["fired", "missed", "not_testable"]
BACKTEST_VERDICTS: tuple[BacktestVerdict, ...] = get_args(BacktestVerdict)

MilestoneKind = Literal[
    "dispute", "remark", "supply_project", "disclosure", "partnership", "arrangement"
]  # fmt: skip
MILESTONE_KINDS: tuple[MilestoneKind, ...] = get_args(MilestoneKind)

CalendarKind = Literal[
    "begins", "ends", "lapses", "suspension_ends", "arrangement_ends", "review", "planned"
]  # fmt: skip
CALENDAR_KINDS: tuple[CalendarKind, ...] = get_args(CalendarKind)
"""What happens on a day of the calendar; the first four are changes of a clause's status."""

WrittenCompanyEvidence = Literal["disclosed", "sector_only"]
"""The evidence in the catalogue: the company's own disclosure, or that its sector is affected."""

CompanyEvidence = Literal["listed", WrittenCompanyEvidence]
COMPANY_EVIDENCE: tuple[CompanyEvidence, ...] = get_args(CompanyEvidence)
"""The best evidence first; `listed`: the clause itself names the company."""

NoticeKind = Literal[
    "rule", "proposed_rule", "presidential_document", "announcement", "notice", "correction",
    "listing", "intervention", "export_restriction",
]  # fmt: skip
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
"""What a publisher of notices calls them; `listing`: a company on a list, `intervention`: an act
as Global Trade Alert reports it, `export_restriction`: a row of an inventory.
"""

NoticeSource = Literal[
    "federal_register", "mofcom", "gta", "screening_list", "oecd_restrictions"
]  # fmt: skip
NOTICE_SOURCES: tuple[NoticeSource, ...] = get_args(NoticeSource)
"""The publishers of notices; acts before reports of them."""

NoticeState = Literal["known", "to_be_read", "not_relevant"]
NOTICE_STATES: tuple[NoticeState, ...] = get_args(NoticeState)

# Scenarios.

ScenarioChange = Literal["cut", "shift", "add", "lift", "extend"]
SCENARIO_CHANGES: tuple[ScenarioChange, ...] = get_args(ScenarioChange)
"""What a scenario changes: a supplier is cut, a share moved to another, supply added, a clause
lifted, or extended to a day."""

CHANGES_OF_CLAUSES: tuple[ScenarioChange, ...] = ("lift", "extend")
"""The changes of a clause; the others are changes of supply."""

# Markets.

EventKind = Literal["clause", "milestone"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

EventModel = Literal["constant_mean", "market"]
EVENT_MODELS: tuple[EventModel, ...] = get_args(EventModel)
"""The expected return of a session: the mean of earlier ones, or the market's times a factor."""

EventReason = Literal[
    "day_not_known", "no_price_on_the_session", "estimation_window_short", "nothing_varies",
    "event_window_not_complete", "session_without_a_price",
]  # fmt: skip
EVENT_REASONS: tuple[EventReason, ...] = get_args(EventReason)
"""Why the window of an event has no statistics: the first reason that applies."""

# The warehouse itself.

SCHEMAS = ("reference", "trade", "dependency", "exposure", "market", "catalog")
"""The schemas of the published file."""

Outcome = Literal["ok", "no_answer", "denied", "rejected", "quota"]
"""Outcome of a request: answered, no answer, the key refused, the answer rejected, or no more calls
allowed for now."""

Answer = Literal[Outcome, "not_asked"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

Engine = Literal["great_expectations", "dbt", "gate"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
"""What evaluates a check; the gate compares a build with the release before it."""

Severity = Literal["error", "warn"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

CheckStatus = Literal["passed", "failed", "could_not_run"]
CHECK_STATUSES: tuple[CheckStatus, ...] = get_args(CheckStatus)

ChangeKind = Literal["notice", "status", "figure", "period", "correction"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
"""What may be new in a release, the most important first."""

CorrectionAction = Literal["replace", "rescale", "read_as"]
CORRECTION_ACTIONS: tuple[CorrectionAction, ...] = get_args(CorrectionAction)
"""What is corrected: one figure, all figures in a wrong unit, or a misprinted code."""

CorrectionStatus = Literal["applied", "no_longer_matches"]
CORRECTION_STATUSES: tuple[CorrectionStatus, ...] = get_args(CorrectionStatus)

Verdict = Literal["supported", "contradicted", "depends_on_basis", "not_testable"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

Moment = Literal["then", "now"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
"""The day on which a statement was made, and the day of the build."""

UNITS_OF_FINDINGS = (
    "share_of_value", "share_of_weight", "share_of_output", "share_of_reserves",
    "share_of_capacity", "share_of_use", "times_as_abundant", "return", "change_of_value",
    "change_of_weight", "t",
)  # fmt: skip

# In sentences.

_MEANINGS: Mapping[str, str] = MappingProxyType({"A": "a year", "M": "a month", "D": "a day"})
"""Meanings of the words that are abbreviations."""


def listed(words: Iterable[str], then: str = ".") -> str:
    """The words for a column's description, followed by `then`: "`CIF` or `FOB`."."""
    *first, last = [_quoted(word) for word in words]
    is_explained = _MEANINGS.keys() >= set(words)
    return f"{', '.join(first)}{', ' if is_explained else ' or '}{last}{then}"


def _quoted(word: str) -> str:
    return f"`{word}` for {_MEANINGS[word]}" if word in _MEANINGS else f"`{word}`"
