//! What does the routing look like?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::model::{BookedRule, Direction, E164, RoomMode, RuleBook, Target};

/// What a box of the picture stands for; each kind is a column, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    GatewayIn,
    Numbers,
    Rule,
    Place,
    GatewayOut,
}

impl Kind {
    const ALL: [Self; 5] = [Self::GatewayIn, Self::Numbers, Self::Rule, Self::Place, Self::GatewayOut];

    fn word(self) -> &'static str {
        match self {
            Self::GatewayIn | Self::GatewayOut => "gateway",
            Self::Numbers => "number",
            Self::Rule => "rule",
            Self::Place => "place",
        }
    }
}

/// The routing as boxes and arrows: gateway, numbers, rules, rooms and agents, and the gateways of outbound rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<(Kind, String)>,
    edges: BTreeSet<(usize, usize, String)>,
}

/// Numbers that lead to the same place are one box once they are more than this.
const NUMBERS_MAX: usize = 3;

impl Graph {
    /// The picture of a book.
    pub fn of(book: &RuleBook) -> Self {
        let mut graph = Self { nodes: Vec::new(), edges: BTreeSet::new() };
        let mut holders: BTreeMap<E164, Vec<usize>> = BTreeMap::new();
        for (at, booked) in book.rules.iter().enumerate() {
            for number in &booked.rule.numbers {
                holders.entry(*number).or_default().push(at);
            }
        }
        let gateway = |number: &E164, direction| {
            let on = |gateway: &&crate::model::BookedGateway| {
                gateway.direction == direction && gateway.numbers.contains(number)
            };
            book.gateways.iter().find(on).map(|gateway| gateway.name.clone())
        };
        let mut numbers: BTreeSet<E164> = book.numbers.iter().copied().collect();
        numbers.extend(book.rules.iter().flat_map(|booked| booked.rule.numbers.iter().copied()));
        type Key = (Vec<usize>, Option<String>, Option<String>);
        let mut groups: BTreeMap<Key, Vec<E164>> = BTreeMap::new();
        for number in numbers {
            let holders = holders.get(&number).cloned().unwrap_or_default();
            let key = (holders, gateway(&number, Direction::Inbound), gateway(&number, Direction::Outbound));
            groups.entry(key).or_default().push(number);
        }
        let rules: Vec<usize> = book.rules.iter().map(|booked| graph.rule(booked)).collect();
        for ((holders, inbound, outbound), numbers) in groups {
            let label = match numbers.as_slice() {
                few if few.len() <= NUMBERS_MAX => few.iter().map(E164::to_string).collect::<Vec<_>>().join("\n"),
                [first, .., last] => format!("{first}\n… {last}\n({} numbers)", numbers.len()),
                _ => continue,
            };
            let node = graph.node(Kind::Numbers, label);
            if let Some(inbound) = inbound {
                let from = graph.node(Kind::GatewayIn, format!("gateway {inbound}"));
                graph.edges.insert((from, node, String::new()));
            }
            for (booked, rule) in holders.into_iter().filter_map(|at| Some((book.rules.get(at)?, *rules.get(at)?))) {
                match booked.rule.direction() {
                    Direction::Inbound => {
                        let priority = booked.rule.beyond.priority;
                        let label = priority.map_or_else(String::new, |priority| format!("priority {priority}"));
                        graph.edges.insert((node, rule, label));
                    }
                    Direction::Outbound => {
                        graph.edges.insert((node, rule, "calls from".to_owned()));
                        let own = outbound.iter().cloned().map(|name| (name, String::new()));
                        let next = booked.rule.beyond.failover.iter().flat_map(|failover| &failover.gateways);
                        for (name, label) in own.chain(next.map(|name| (name.to_string(), "failover".to_owned()))) {
                            let to = graph.node(Kind::GatewayOut, format!("gateway {name}"));
                            graph.edges.insert((rule, to, label));
                        }
                    }
                }
            }
        }
        graph
    }

    fn node(&mut self, kind: Kind, label: String) -> usize {
        let node = (kind, label);
        if let Some(at) = self.nodes.iter().position(|known| *known == node) {
            return at;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn rule(&mut self, booked: &BookedRule) -> usize {
        let rule = &booked.rule;
        let mut label = format!("rule {}", booked.id);
        if rule.direction() == Direction::Outbound {
            label.push_str("\noutbound");
        }
        if let Some(schedule) = &rule.beyond.schedule {
            let _ = write!(label, "\n{}", schedule.weekly().join(", "));
        }
        if !rule.allowed_callers.is_open() {
            let _ = write!(label, "\nfrom {}", rule.allowed_callers.texts().join(", "));
        }
        let node = self.node(Kind::Rule, label);
        let mut lead = |to: String, label: String| {
            let to = self.node(Kind::Place, to);
            self.edges.insert((node, to, label));
        };
        let pin = rule.room.as_ref().is_some_and(|room| room.pin.is_some());
        match rule.room.as_ref().map(|room| &room.mode) {
            Some(RoomMode::Static(id)) => lead(format!("room {id}"), if pin { "PIN" } else { "" }.to_owned()),
            Some(RoomMode::Dynamic(_)) => {
                lead("a room for each call".to_owned(), if pin { "PIN" } else { "" }.to_owned())
            }
            None => {}
        }
        if let Some(agent) = &rule.agent {
            lead(format!("agent {}", agent.id), String::new());
        }
        for (target, weight) in rule.beyond.split.shares() {
            let to = match target {
                Target::Agent(id) => format!("agent {id}"),
                Target::Room(id) => format!("room {id}"),
            };
            lead(to, format!("{weight} parts"));
        }
        node
    }

    /// As a Mermaid flow chart, for a README.
    pub fn mermaid(&self) -> String {
        let mut out = "flowchart LR\n".to_owned();
        let text = |label: &str| label.replace('"', "#quot;").replace('\n', "<br>");
        for (at, (kind, label)) in self.nodes.iter().enumerate() {
            let _ = match kind {
                Kind::Place => writeln!(out, "  n{at}([\"{}\"])", text(label)),
                _ => writeln!(out, "  n{at}[\"{}\"]", text(label)),
            };
        }
        for (from, to, label) in &self.edges {
            let _ = match label.is_empty() {
                true => writeln!(out, "  n{from} --> n{to}"),
                false => writeln!(out, "  n{from} -->|\"{}\"| n{to}", text(label)),
            };
        }
        out
    }

    /// As a graph for Graphviz.
    pub fn dot(&self) -> String {
        let mut out = "digraph routing {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
        let text = |label: &str| label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        for (at, (kind, label)) in self.nodes.iter().enumerate() {
            let shape = if *kind == Kind::Place { ", style=rounded" } else { "" };
            let _ = writeln!(out, "  n{at} [label=\"{}\"{shape}];", text(label));
        }
        for (from, to, label) in &self.edges {
            let _ = writeln!(out, "  n{from} -> n{to} [label=\"{}\"];", text(label));
        }
        out.push_str("}\n");
        out
    }

    /// As a picture that stands alone, in light and in dark.
    pub fn svg(&self, title: &str) -> String {
        let boxes = self.layout();
        let bottom = boxes.iter().map(|place| place.y + place.height).max().unwrap_or(0);
        let right = boxes.iter().map(|place| place.x + WIDTH).max().unwrap_or(0);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" \
             font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>Routing of {}</title>\n{STYLE}",
            right + MARGIN,
            bottom + MARGIN,
            escaped(title)
        );
        for (from, to, label) in &self.edges {
            let (Some(one), Some(two)) = (boxes.get(*from), boxes.get(*to)) else { continue };
            let (x1, y1) = (one.x + WIDTH, one.y + one.height / 2);
            let (x2, y2) = (two.x, two.y + two.height / 2);
            let middle = (x1 + x2) / 2;
            let _ = writeln!(
                out,
                "<path class=\"edge\" d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {} {y2}\" marker-end=\"url(#arrow)\"/>",
                x2 - 6
            );
            if !label.is_empty() {
                let (x, y) = (x2 - 10, y2 - 5);
                let _ = writeln!(
                    out,
                    "<text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
                    escaped(label)
                );
            }
        }
        for ((kind, label), place) in self.nodes.iter().zip(&boxes) {
            let (x, y, height) = (place.x, place.y, place.height);
            let radius = if *kind == Kind::Place { height.min(36) / 2 } else { 4 };
            let _ = writeln!(
                out,
                "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\" rx=\"{radius}\"/>",
                kind.word()
            );
            for (at, line) in (0_i32..).zip(label.lines()) {
                let y = y + PADDING + LINE * at + 12;
                let class = if at == 0 { "" } else { " class=\"more\"" };
                let _ = writeln!(out, "<text{class} x=\"{}\" y=\"{y}\">{}</text>", x + 10, escaped(&short(line)));
            }
        }
        out.push_str("</svg>\n");
        out
    }

    /// Each kind in a column of its own; in a column, boxes stand near those that lead to them.
    fn layout(&self) -> Vec<Box> {
        let mut boxes: Vec<Box> = self
            .nodes
            .iter()
            .map(|(_, label)| Box { x: 0, y: 0, height: LINE * label.lines().count() as i32 + 2 * PADDING })
            .collect();
        let mut column_at = 0;
        for kind in Kind::ALL {
            let mut column: Vec<usize> = (0..self.nodes.len()).filter(|at| self.nodes[*at].0 == kind).collect();
            if column.is_empty() {
                continue;
            }
            let middle = |node: &usize| {
                let from: Vec<i32> = self
                    .edges
                    .iter()
                    .filter(|(_, to, _)| to == node)
                    .filter_map(|(from, ..)| boxes.get(*from).map(|place| place.y + place.height / 2))
                    .collect();
                from.iter().sum::<i32>() / (from.len().max(1) as i32)
            };
            // Boxes that nothing leads to keep their order.
            column.sort_by_key(|node| (middle(node), *node));
            let mut y = MARGIN;
            for node in column {
                let place = &mut boxes[node];
                (place.x, place.y) = (MARGIN + column_at * (WIDTH + GAP), y);
                y += place.height + 14;
            }
            column_at += 1;
        }
        boxes
    }
}

struct Box {
    x: i32,
    y: i32,
    height: i32,
}

const WIDTH: i32 = 200;
const GAP: i32 = 90;
const MARGIN: i32 = 16;
const LINE: i32 = 17;
const PADDING: i32 = 8;
/// Characters that fit into a box.
const FIT: usize = 27;

const STYLE: &str = "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"2\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>
<style>
svg { background: #ffffff }
text { fill: #1f2328 } .more, .label { fill: #59636e; font-size: 11px }
rect { fill: #f6f8fa; stroke: #59636e } .rule { stroke: #0969da } .number { stroke: #1a7f37 } .place { stroke: #8250df }
.edge { fill: none; stroke: #59636e } .head { fill: #59636e }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 }
text { fill: #f0f6fc } .more, .label { fill: #9198a1 }
rect { fill: #151b23; stroke: #9198a1 } .rule { stroke: #4493f8 } .number { stroke: #3fb950 } .place { stroke: #ab7df8 }
.edge { stroke: #9198a1 } .head { fill: #9198a1 }
}
</style>
";

fn short(line: &str) -> String {
    match line.chars().count() > FIT {
        true => line.chars().take(FIT - 1).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
