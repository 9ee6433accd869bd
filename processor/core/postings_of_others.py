"""What facts add that are not about the life of a ticket: surveys, contacts, agents, the knowledge base, customers, costs."""

from __future__ import annotations

from typing import Final

from processor.core.dimensions import CHANNEL
from processor.core.facts import Fact
from processor.core.posting import HISTOGRAMS, NUMBERS, Entries, Posting, by_content, counting, flagged, observe

_SPEED_OF_ANSWER: Final = HISTOGRAMS["speed_of_answer"]
_TIME_TO_ABANDON: Final = HISTOGRAMS["time_to_abandon"]
_HANDLE_TIME: Final = HISTOGRAMS["handle_time"]
_SURVEY_DELAY: Final = HISTOGRAMS["survey_delay"]
_CES: Final = NUMBERS["ces"]
_VERY_EASY: Final = 6000  # of the index: 6 and 7 of 7, in thousandths
PHONE: Final = "phone"  # calls are contacts of this channel

# How many customers there are, known one by one or as somebody has counted them: levels, each with the counts that change it.
CUSTOMERS: Final = "customers"
CUSTOMERS_COUNTED: Final = "customers_total"
CUSTOMER_FLOWS: Final = {CUSTOMERS: {"customers_acquired": 1, "customers_churned": -1}, CUSTOMERS_COUNTED: {"customers_counted": 1}}

# ISO 4217: what an amount can be in. A closed list, since each becomes a number of its own; others stay facts.
CURRENCIES: Final = frozenset(
    """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND
        BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK
        DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
        GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
        KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
        MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB
        PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
        SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
        TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
        ZWG
    """.split()  # noqa: SIM905
)

# Of the agent's states those in which somebody is at work; and of them those with a customer, or with what is left to do after one.
PRODUCTIVE_STATES: Final = ("online", "available", "busy", "wrap_up")
OCCUPIED_STATES: Final = ("busy", "wrap_up")


def _survey_sent(fact: Fact) -> Entries:
    survey, since_solved = fact.content
    entries: Entries = ((f"surveys_sent:{survey}", 1),)
    return entries if since_solved is None else (*entries, *observe(_SURVEY_DELAY, since_solved))


def _survey_answered(fact: Fact) -> Entries:
    survey, result, score, *_ = fact.content
    if survey == "csat":
        return _csat_answered(fact, satisfied=result == "satisfied")
    entries: Entries = ((f"{survey}_responses:{result}", 1),)
    if survey == "ces":
        entries += observe(_CES, score)
        return (*entries, ("ces_very_easy", 1)) if score >= _VERY_EASY else entries
    return entries


def _csat_answered(fact: Fact, *, satisfied: bool) -> Entries:
    _, _, _, band, breached, *_ = fact.content
    heads = ["csat_responses"]
    tails = [""]
    if band is not None:
        heads.append("csat_responses_by_wait")
        tails.append(f":{band}")
    if breached is not None:
        heads.append("csat_responses_by_sla")
        tails.append(":breached" if breached else ":kept")
    keys = [f"{head}{tail}" for head, tail in zip(heads, tails, strict=True)]
    if satisfied:
        keys += [f"{head.replace('responses', 'satisfied')}{tail}" for head, tail in zip(heads, tails, strict=True)]
    return tuple((key, 1) for key in keys)


def _initiated(fact: Fact) -> Entries:
    return (("contacts_initiated", 1), ("calls_initiated", 1)) if fact.dims[CHANNEL] == PHONE else (("contacts_initiated", 1),)


def _answered(fact: Fact) -> Entries:
    wait, in_target, *_ = fact.content
    entries = (("contacts_answered", 1), *observe(_SPEED_OF_ANSWER, wait))
    return (*entries, ("contacts_answered_in_target", 1)) if in_target else entries


def _abandoned(fact: Fact) -> Entries:
    wait, short, *rest = fact.content
    if short:
        return (("contacts_short_abandoned", 1),)
    entries = (("contacts_abandoned", 1), *observe(_TIME_TO_ABANDON, wait))
    return (*entries, ("contacts_abandoned_silently", 1)) if any(rest) else entries


def _missed(fact: Fact) -> Entries:
    entries: Entries = ((f"contacts_missed:{fact.content[0]}", 1),)
    return (*entries, ("calls_missed", 1)) if fact.dims[CHANNEL] == PHONE else entries


def _recovered(fact: Fact) -> Entries:
    return (("contacts_recovered", 1), ("calls_recovered", 1)) if fact.dims[CHANNEL] == PHONE else (("contacts_recovered", 1),)


def _handled(fact: Fact) -> Entries:
    talk, hold, wrap_up = (part or 0 for part in fact.content[:3])
    return (
        ("contacts_handled", 1), ("talk_time:sum", talk), ("hold_time:sum", hold), ("wrap_up_time:sum", wrap_up),
        *observe(_HANDLE_TIME, talk + hold + wrap_up),
    )  # fmt: skip


def _agent_time(fact: Fact) -> Entries:
    state, duration, *_ = fact.content
    return ((f"agent_time:{state}", duration),)


def _viewed(fact: Fact) -> Entries:
    return (("kb_views", 1), ("kb_sessions", 1)) if fact.content[1] else (("kb_views", 1),)


def _counted(fact: Fact) -> Entries:
    change = fact.content[1] if len(fact.content) > 1 else None
    return (("customers_counted", change),) if change else ()


def _cost(fact: Fact) -> Entries:
    currency, amount = fact.content
    return ((f"cost:{currency}", amount),) if currency in CURRENCIES else ()


POSTINGS_OF_OTHERS: Final[dict[str, Posting]] = {
    "survey.sent": Posting(_survey_sent),
    "survey.answered": Posting(_survey_answered),
    "survey.negative": by_content("surveys_negative"),
    "contact.initiated": Posting(_initiated),
    "contact.offered": counting("contacts_offered"),
    "contact.answered": Posting(_answered),
    "contact.abandoned": Posting(_abandoned),
    "contact.flowed_out": by_content("contacts_flowed_out"),
    "contact.dropped": counting("contacts_dropped"),
    "contact.missed": Posting(_missed),
    "contact.recovered": Posting(_recovered),
    "contact.agent_offered": counting("contacts_agent_offered"),
    "contact.agent_missed": counting("contacts_not_accepted"),
    "contact.handled": Posting(_handled),
    "contact.bot_started": counting("contacts_bot_started"),
    "contact.bot_contained": counting("contacts_bot_contained"),
    "agent.time": Posting(_agent_time),
    "person.article_viewed": Posting(_viewed),
    "person.searched": flagged("kb_searches", "kb_search_sessions", 0),
    "person.search_ticketed": counting("kb_searches_to_ticket"),
    "person.article_voted": flagged("kb_votes", "kb_votes_helpful", 0),
    "person.session_bounced": counting("kb_sessions_bounced"),
    "organization.acquired": counting("customers_acquired"),
    "organization.churned": counting("customers_churned"),
    "organization.counted": Posting(_counted),
    "account.cost_recorded": Posting(_cost),
}
