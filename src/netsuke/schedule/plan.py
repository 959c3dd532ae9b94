"""The plan: order, kernels and offsets of a graph on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netsuke.devices import Device
from netsuke.errors import DoesNotFitError, GraphError, NetsukeError
from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule.buffer import Buffer
from netsuke.schedule.buffers import Sharing, scratch_key, share
from netsuke.schedule.choose import live_peak, smallest
from netsuke.schedule.costs import Costs, with_costs
from netsuke.schedule.flash import modest
from netsuke.schedule.offsets import Layout, lay_out, live_bytes
from netsuke.schedule.order import Order, best_order
from netsuke.schedule.regions import Place, heat, spread
from netsuke.schedule.select import Room, Selection, select
from netsuke.schedule.stream import Streaming
from netsuke.schedule.tied import Kernels, Settled

PROGRAM_MEMORY = "avr"
"""The instruction set whose plain pointers do not reach the flash."""
ROOMY = frozenset({"a64", "x86-64"})
"""Instruction sets of boards with memory to spare: there the fastest kernels are taken."""


@dataclass(frozen=True, slots=True)
class Step:
    """One node's turn.

    Attributes
    ----------
    node
        The node.
    kernel
        The function that runs it; None when its outputs are views and nothing has to run.
    scratch
        Place of the scratch buffer, if the kernel takes one and needs bytes.
    live
        Bytes of all buffers that live during this step.
    """

    node: Node
    kernel: Kernel | None
    scratch: Place | None
    live: int


@dataclass(frozen=True, slots=True)
class Plan:
    """When each node runs and where each buffer lives.

    Attributes
    ----------
    graph
        The graph that is planned.
    steps
        In order of execution.
    places
        Activation name -> place.
    arenas
        Region name -> bytes of the arena in it.
    peak_node
        Node during which most bytes live.
    lower_bound
        Bytes that no layout of this order and these kernels can go below.
    optimal
        Whether the arena is proved minimal for the operators' kernels: both the order and the
        offsets.
    buffers
        Buffer key -> (place, buffer), for the arena map.
    fastest
        Whether it is proved that no other kernels of the operators take fewer instructions in this
        order within the RAM and flash that the plan was given.
    """

    graph: Graph
    steps: tuple[Step, ...]
    places: Mapping[str, Place]
    arenas: Mapping[str, int]
    peak_node: str
    lower_bound: int
    optimal: bool
    buffers: Mapping[str, tuple[Place, Buffer]]
    fastest: bool = False

    @property
    def arena(self) -> int:
        """Bytes of all arenas."""
        return sum(self.arenas.values())

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(step.node.name for step in self.steps)

    @property
    def instructions(self) -> float:
        """Modelled executed instructions for one sample."""
        return sum(step.kernel.instructions for step in self.steps if step.kernel)

    def macs_of(self, node: Node) -> int:
        """Multiply-accumulates of one of the steps."""
        return node.op.cost(self.graph.in_of(node), self.graph.out_of(node)).macs

    def at_peak(self) -> tuple[tuple[str, int], ...]:
        """Names and bytes of the buffers that live at the peak, largest first."""
        peak = max(range(len(self.steps)), key=lambda i: self.steps[i].live, default=0)
        living = [b for _, b in self.buffers.values() if b.start <= peak <= b.end]
        sizes = [(buffer.name, buffer.at(peak)) for buffer in living]
        return tuple(sorted(sizes, key=lambda pair: (-pair[1], pair[0])))

    def fits(self, device: Device, ram: int | None = None) -> bool:
        """Whether all arenas fit into their regions, and together into `ram`."""
        rooms = {region.name: region.available for region in device.memory("arena")}
        within = all(size <= rooms.get(name, size) for name, size in self.arenas.items())
        return within and (ram is None or self.arena <= ram)

    def require_fit(self, device: Device, ram: int | None = None) -> None:
        """Raise DoesNotFitError when an arena exceeds its region, or all exceed `ram`."""
        if ram is not None and self.arena > ram:
            raise DoesNotFitError("ram", self.arena, ram, self.peak_node)
        for region in device.memory("arena"):
            needed = self.arenas.get(region.name, 0)
            if needed > region.available:
                raise DoesNotFitError(region.name, needed, region.available, self.peak_node)


def plan(
    graph: Graph,
    device: Device,
    ram: int | None = None,
    exact: bool = False,
    flash: int | None = None,
    costs: Costs | None = None,
    stripes: bool = True,
) -> Plan:
    """Plan a graph on a device.

    Kernels: first those that give the smallest arena; then those with the fewest instructions
    with which all buffers fit the RAM budget and all tables and code the flash. The budget is
    `ram`; without it an eighth more than the smallest arena, but no more than the tensors that
    live at once, nor than the device has; on boards that run Linux all that the device has.

    Where that does not fit, or a `ram` is given within which not every node gets its fastest
    kernel, parts of the graph may run in stripes of rows (`netsuke.schedule.stream`); the plan with
    fewer instructions is returned, and `Plan.graph` is then the graph with the stripes written out.

    Parameters
    ----------
    graph
        A verified graph.
    device
        Its instruction sets decide which kernels may run, its regions where buffers may lie.
    ram
        Bytes that arenas may take for the sake of speed.
    exact
        Let OR-Tools go on where our own search of the offsets gives up.
    flash
        Bytes that tables, parameters and code may take for the sake of speed (code modelled).
        None: what the device has, but without kernels whose tables are much larger than need be
        (see `netsuke.schedule.flash.modest`).
    costs
        Instructions of kernels, such as measured ones; None: as the operators model them.
    stripes
        Whether parts of the graph may run in stripes.

    Returns
    -------
    Plan
        Also when it does not fit: see `Plan.require_fit`.

    Raises
    ------
    GraphError
        When a node has no kernel for this device.
    """

    def make(graph: Graph, node: Node) -> tuple[Kernel, ...]:
        kernels = kernels_of(graph, node, device)
        if flash is None and not ROOMY & device.isa:
            kernels = modest(graph, node, kernels)
        return with_costs(graph, node, kernels, costs)

    candidates = {node.name: make(graph, node) for node in graph.nodes}
    order, kernels, layout = _smallest(graph, candidates)
    budget = _budget(graph, order, candidates, layout.size, ram, device)
    room = Room(budget, device.flash if flash is None else flash, device.core)
    selection = select(graph, order.nodes, candidates, kernels, room)
    sharing = share(graph, order.nodes, selection.kernels)
    layout = lay_out(list(sharing.buffers.values()))
    if exact and not layout.optimal:
        from netsuke.schedule.solver import solve

        layout = solve(list(sharing.buffers.values()), layout)
    ordinary = _assemble(graph, device, order, selection, sharing, layout, limit=ram)
    limit = ram if ram is not None else _largest(device)
    fits = ordinary.fits(device, ram)
    cheapest = sum(min(k.instructions for k in found) for found in candidates.values())
    if not stripes or (fits and (ram is None or ordinary.instructions <= cheapest)):
        return ordinary
    streaming = Streaming(graph, order.nodes, candidates, Kernels(make), kernels)
    settled = streaming.search(replace(room, ram=limit))
    if settled is None and not fits:
        settled = streaming.smallest_found(room)
    if settled is None or not _is_better(settled, ordinary, limit):
        return ordinary
    return _assemble_stripes(device, settled, ram)


def _largest(device: Device) -> int:
    """Bytes of the largest region for arenas."""
    return max((region.available for region in device.memory("arena")), default=0)


def _is_better(settled: Settled, ordinary: Plan, limit: int) -> bool:
    if ordinary.arena <= limit:
        return settled.layout.size <= limit and settled.instructions < ordinary.instructions
    return settled.layout.size < ordinary.arena


def _assemble_stripes(device: Device, settled: Settled, ram: int | None) -> Plan:
    graph = settled.striped.graph
    return _assemble(
        graph,
        device,
        Order(graph.nodes, False),
        Selection(settled.kernels, False),
        settled.sharing,
        settled.layout,
        settled.origin.groups,
        ram,
    )


def kernels_of(graph: Graph, node: Node, device: Device) -> tuple[Kernel, ...]:
    """The kernels that can run a node on a device; raises GraphError when there is none."""
    try:
        kernels = node.op.kernels(graph.in_of(node), graph.out_of(node), device.isa)
    except NetsukeError as error:
        raise GraphError(node.name, f"{node.op.kind} cannot run on {device.id}: {error}") from None
    if not kernels:
        raise GraphError(node.name, f"{node.op.kind} has no kernel for {device.id}")
    if PROGRAM_MEMORY not in device.isa:
        return kernels
    inputs = graph.in_of(node)
    # Where there is none, the plan still tells how much memory is lacking; no C is made from it.
    return tuple(k for k in kernels if k.flash or not k.has_tables(inputs)) or kernels


def _budget(
    graph: Graph,
    order: Order,
    candidates: Mapping[str, Sequence[Kernel]],
    smallest_arena: int,
    ram: int | None,
    device: Device,
) -> int:
    """Bytes that faster kernels may use; see `plan`."""
    if ram is not None:
        return max(smallest_arena, ram)
    if ROOMY & device.isa:
        return max(smallest_arena, _largest(device))
    cap = min(live_peak(graph, order.nodes, candidates), _largest(device))
    return max(smallest_arena, min(smallest_arena * 9 // 8, cap))


def _smallest(
    graph: Graph, candidates: Mapping[str, Sequence[Kernel]]
) -> tuple[Order, dict[str, Kernel], Layout]:
    """Order and kernels with the smallest arena: the searched order, or the graph's own."""
    scratch = {name: min(k.scratch or 0 for k in kernels) for name, kernels in candidates.items()}
    searched = best_order(graph, scratch)
    orders = [searched]
    if searched.nodes != graph.nodes:
        orders.append(Order(graph.nodes, False))
    results = []
    for order in orders:
        kernels = smallest(graph, order.nodes, candidates)
        buffers = list(share(graph, order.nodes, kernels).buffers.values())
        results.append((order, kernels, lay_out(buffers)))
    return min(results, key=lambda result: result[2].size)


def _assemble(
    graph: Graph,
    device: Device,
    order: Order,
    selection: Selection,
    sharing: Sharing,
    layout: Layout,
    groups: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Plan:
    buffers = list(sharing.buffers.values())
    used = heat(order.nodes, selection.kernels, sharing, groups or {})
    located = spread(buffers, layout, device.memory("arena"), used, limit)
    places = {
        name: Place(located[key].region, located[key].offset + offset)
        for name, (key, offset) in sharing.inside.items()
    }
    steps = []
    for index, node in enumerate(order.nodes):
        skipped = node.name in sharing.skipped
        scratch = None
        if not skipped and selection.kernels[node.name].scratch:
            scratch = located[scratch_key(node.name, groups or {})]
        live = live_bytes(buffers, index)
        steps.append(Step(node, None if skipped else selection.kernels[node.name], scratch, live))
    arenas: dict[str, int] = {}
    for buffer in buffers:
        place = located[buffer.name]
        end = place.offset + buffer.size
        arenas[place.region] = max(arenas.get(place.region, 0), end)
    peak = max(steps, key=lambda step: step.live, default=None)
    return Plan(
        graph=graph,
        steps=tuple(steps),
        places=places,
        arenas=arenas,
        peak_node=peak.node.name if peak else "",
        lower_bound=layout.lower_bound,
        optimal=order.optimal and layout.optimal,
        buffers={buffer.name: (located[buffer.name], buffer) for buffer in buffers},
        fastest=selection.proved,
    )
