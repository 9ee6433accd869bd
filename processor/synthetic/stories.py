"""Which stories are told, one after the other, and the books in which all of them are entered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from processor.core.distinct import EXACT_MAX
from processor.core.settings import DAY_MS, HOUR_MS, Settings
from processor.synthetic.accounts import Accounts
from processor.synthetic.books import Totals, labelled
from processor.synthetic.business import Cost, Customer, Shift
from processor.synthetic.clock import Desk
from processor.synthetic.contact_book import ContactBook
from processor.synthetic.contacts import ContactScript
from processor.synthetic.feed import Feed
from processor.synthetic.other_books import AgentBook, CostBook, CustomerBook
from processor.synthetic.surveying import Relation
from processor.synthetic.ticket_book import TicketBook
from processor.synthetic.tickets import TicketScript
from processor.synthetic.visits import Visit
from processor.synthetic.world import AGENTS, GROUPS, World

# How often each kind of story is told, of a thousand.
SHARES = {"ticket": 455, "contact": 372, "visit": 145, "relation": 8, "customer": 6, "cost": 4, "shift": 10}
TOLD_MAX = 20_000  # tickets into which others can be merged, and about which customers call
EVENTS_PER_PERSON = 5
PEOPLE_MIN = 400
RETURNING = 0.06  # of those who write or call: they did before, about the same
WEEK_MS = 7 * DAY_MS - HOUR_MS * 2  # what began in it is still in the window of seven days when the clocks have run on


class Stories:
    """The stories of one log."""

    def __init__(self, settings: Settings, feed: Feed, *, events: int, start: int, end: int) -> None:
        self.feed = feed
        self.random = feed.random
        self.world = World(self.random, start, end, max(PEOPLE_MIN, events // EVENTS_PER_PERSON))
        self.desk = Desk(settings)
        self.totals: Totals = Counter()
        self.accounts = Accounts(self.desk, self.totals)
        self.contacts: list[ContactBook] = []
        self.tickets = 0
        self._told: list[TicketScript] = []
        self._entered: list[TicketBook] = []
        self._agents: dict[str, AgentBook] = {}
        self._customers, self._costs = CustomerBook(), CostBook()
        self._counts: Counter[str] = Counter()
        self._shares = list(accumulate(SHARES.values()))
        days = range(start // DAY_MS - 1, -(-end // DAY_MS))
        self._shifts = [(group, place, day) for group in GROUPS for place in range(len(AGENTS[group])) for day in days]
        self.random.shuffle(self._shifts)

    def tell_next(self) -> int:
        """Tell one more; returns how many there are by now."""
        kind = self.random.choices(tuple(SHARES), cum_weights=self._shares)[0]
        self._counts[kind] += 1
        number = self._counts[kind]
        getattr(self, f"_{kind}")(number)
        return self._counts.total()

    # -- kinds ---------------------------------------------------------------------------------------------------------------------

    def _ticket(self, number: int) -> None:
        self.tickets = number
        ticket = TicketScript(self.world, self.desk, self.feed, number, self.accounts, self._told, self._earlier(RETURNING))
        ticket.play()
        self._told[number % TOLD_MAX : number % TOLD_MAX + 1] = [ticket]

    def _contact(self, number: int) -> None:
        about = self._earlier(0.3)
        after = None if about else self._earlier(RETURNING)
        contact = ContactScript(self.world, self.desk, self.feed, number, self.totals, self.accounts, about, after)
        contact.play()
        self.contacts.append(contact.book)

    def _visit(self, number: int) -> None:
        Visit(self.world, self.feed, number, self.accounts, self._earlier(0.15)).play()

    def _relation(self, number: int) -> None:
        Relation(self.world, self.feed, number, self.accounts).play()

    def _customer(self, number: int) -> None:
        Customer(self.world, self.feed, number, self._customers).play()

    def _cost(self, number: int) -> None:
        Cost(self.world, self.feed, number, self._costs).play()

    def _shift(self, _number: int) -> None:
        if self._shifts:
            group, place, day = self._shifts.pop()
            book = self._agents.setdefault(AGENTS[group][place], AgentBook())
            Shift(self.world, self.feed, group, place, day, book).play()

    def _earlier(self, chance: float) -> TicketScript | None:
        """A ticket that has been told already, so often."""
        return self.random.choice(self._told) if self._told and self.world.chance(chance) else None

    # -- the books -----------------------------------------------------------------------------------------------------------------

    def deadlines(self) -> Iterator[int]:
        """What time alone will still do. To be called once, when all is told."""
        self._entered = self.accounts.entered()
        for ticket in self._entered:
            yield from ticket.deadlines()
        for contact in self.contacts:
            yield from contact.deadlines()
        for agent in self._agents.values():
            yield from agent.deadlines()

    def close(self, until: int) -> None:
        """Add what stands at `until`."""
        for ticket in self._entered:
            ticket.close(until)
        for contact in self.contacts:
            contact.close(until)
        for agent in self._agents.values():
            agent.close(self.totals, until)
        self.accounts.close(until)
        self._customers.close(self.totals)
        self._costs.close(self.totals)
        visitors = self.accounts.visitors
        if visitors <= EXACT_MAX and self.world.start >= until - WEEK_MS:
            self.totals[labelled("support_window_observations", kpi="kb_visitors", window="7d", by="total")] = visitors
