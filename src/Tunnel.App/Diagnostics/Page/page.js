// What the tunnel is doing now, as /events tells it.

import { Board } from "/charts.js";
import { SortedTable } from "/tables.js";
import * as units from "/units.js";

const byId = id => document.getElementById(id);
const retryAfter = 1000;
// News comes once a second.
const staleAfter = 3500;

const share = s => s.segments_per_second > 0 ? 100 * s.retransmissions_per_second / s.segments_per_second : 0;

const board = new Board(byId("charts"), [
  {
    title: "Throughput of streams", wide: true, least: 10_000, format: bits => units.bits(bits / 8),
    series: [
      { name: "out of the tunnel", read: s => 8 * s.stream_in_bytes_per_second },
      { name: "into the tunnel", read: s => 8 * s.stream_out_bytes_per_second },
    ],
  },
  { title: "Round trip", least: 1, format: units.milliseconds, note: "mean", series: [{ read: s => s.rtt_milliseconds ?? null }] },
  { title: "Retransmissions", least: 1, format: units.percent, note: "of segments sent", series: [{ read: share }] },
  { title: "Drops", least: 1, format: units.perSecond, note: "all reasons", series: [{ read: s => s.drops_per_second }] },
  { title: "Sessions", least: 5, format: units.count, series: [{ read: s => s.sessions }] },
  { title: "Streams", least: 5, format: units.count, series: [{ read: s => s.streams }] },
  { title: "Processor", least: 10, format: units.percent, note: "of one core", series: [{ read: s => s.cpu_percent }] },
  {
    title: "Memory", least: 1 << 20, base: 1024, format: units.bytes,
    series: [{ name: "resident", read: s => s.resident_bytes }, { name: "heap", read: s => s.heap_bytes }],
  },
  { title: "Garbage collection", least: 1, format: ms => [units.milliseconds(ms)[0], "ms/s"], note: "pauses", series: [{ read: s => s.gc_pause_milliseconds_per_second }] },
]);

const rate = read => ({ read, show: row => read(row) < 1 ? ["0", ""] : units.bits(read(row)) });
const amount = read => ({ read, show: row => units.bytes(read(row)) });

const sessions = new SortedTable(byId("sessions-table"), {
  caption: "Sessions. The buttons in the head sort.",
  key: s => s.peer + s.conv,
  empty: "There is no session.",
  sortBy: 5,
  columns: [
    { title: "Peer", isText: true, read: s => s.peer, show: s => s.peer },
    { title: "Streams", read: s => s.streams, show: s => units.count(s.streams) },
    { title: "RTT", hint: "smoothed round trip", read: s => s.rtt_milliseconds, show: s => units.milliseconds(s.rtt_milliseconds) },
    { title: "RTO", hint: "retransmission timeout", read: s => s.rto_milliseconds, show: s => units.milliseconds(s.rto_milliseconds) },
    { title: "Loss", hint: "segments sent again in the last seconds", read: s => s.loss_percent, show: s => units.percent(s.loss_percent), isMarked: s => s.loss_percent >= 2 },
    { title: "In", hint: "out of the tunnel", ...rate(s => s.in_bytes_per_second) },
    { title: "Out", hint: "into the tunnel", ...rate(s => s.out_bytes_per_second) },
    { title: "In flight", hint: "segments not acknowledged, of those that may be", read: s => s.in_flight, show: s => `${s.in_flight} / ${s.send_window}`, isMarked: s => s.in_flight >= s.send_window },
    { title: "Pace", hint: "what may leave; 0: the path is too short to be paced", ...rate(s => s.pacing_bytes_per_second) },
    { title: "Received", ...amount(s => s.in_bytes) },
    { title: "Sent", ...amount(s => s.out_bytes) },
    { title: "Memory", ...amount(s => s.memory_bytes) },
    { title: "Heard", hint: "since anything authentic came", read: s => s.idle_seconds, show: s => [...units.duration(s.idle_seconds)] },
    { title: "Age", read: s => s.age_seconds, show: s => units.duration(s.age_seconds) },
    { title: "Conv", hint: "conversation", isText: true, read: s => s.conv, show: s => s.conv },
  ],
});

const streams = new SortedTable(byId("streams-table"), {
  caption: "Streams. The buttons in the head sort.",
  key: s => s.peer + s.conv + s.id,
  empty: "There is no stream.",
  sortBy: 2,
  columns: [
    { title: "Target", isText: true, read: s => s.target, show: s => s.target || "–" },
    { title: "Kind", isText: true, read: s => s.kind, show: s => s.kind },
    { title: "In", hint: "out of the tunnel", ...rate(s => s.in_bytes_per_second) },
    { title: "Out", hint: "into the tunnel", ...rate(s => s.out_bytes_per_second) },
    { title: "Received", ...amount(s => s.in_bytes) },
    { title: "Sent", ...amount(s => s.out_bytes) },
    { title: "Age", read: s => s.age_seconds, show: s => units.duration(s.age_seconds) },
    { title: "Peer", isText: true, read: s => s.peer, show: s => s.peer },
    { title: "Number", read: s => s.id, show: s => `${s.id}` },
  ],
});

let process = null;
let heard = null;

function showState(state, words) {
  const element = byId("state");
  // Announced when it changes, not every second.
  if (element.dataset.state === state && element.textContent === words) return;
  element.dataset.state = state;
  element.textContent = words;
}

function showFacts(facts) {
  const list = byId("facts");
  const wanted = facts.filter(([, value]) => value !== null);
  if (list.children.length !== wanted.length) {
    list.replaceChildren(...wanted.map(([name]) => {
      const pair = document.createElement("div");
      pair.appendChild(document.createElement("dt")).textContent = name;
      pair.appendChild(document.createElement("dd"));
      return pair;
    }));
  }
  wanted.forEach(([name, value], i) => {
    list.children[i].firstChild.textContent = name;
    list.children[i].lastChild.textContent = value;
  });
}

function shownOf(shown, all) {
  return shown < all ? `${shown} busiest of ${all}` : `${all}`;
}

// Old figures stay, for what was last is what one wants to know; but nobody is to take them for now.
function showStale() {
  if (heard === null) {
    showState("wait", "No connection to the process; trying again");
    return;
  }
  document.body.dataset.stale = "";
  showState("wait", `No answer; what you see is old, of ${new Date(heard).toLocaleTimeString()}. Trying again`);
}

function showStatus(status) {
  heard = Date.now();
  delete document.body.dataset.stale;
  if (process !== status.started) {
    process = status.started;
    document.title = `tunnel ${status.role}`;
    byId("role").textContent = status.role;
    loadConfiguration();
  }
  showState(status.ready ? "good" : "bad", status.ready ? "Ready" : `Not ready: ${status.unready}`);
  const { connections } = status;
  showFacts([
    ["Version", status.version],
    ["Link", status.link ?? "–"],
    ["Connections", connections.length === 0 ? null : `${connections.filter(c => c.state === "up").length} of ${connections.length} up`],
    ["On the wire", `${units.text(units.bits(status.now.link_in_bytes_per_second))} in, ${units.text(units.bits(status.now.link_out_bytes_per_second))} out`],
    ["Sessions' memory", units.text(units.bytes(status.memory.sessions_bytes)) + (status.memory.limit_bytes === null ? "" : ` of ${units.text(units.bytes(status.memory.limit_bytes))}`)],
    ["Collections by generation", status.gc.collections.join(" / ")],
    ["Up for", units.text(units.duration(status.uptime_seconds))],
    ["Process", `${status.pid}`],
  ]);
  board.add(status.now);
  sessions.update(status.sessions);
  streams.update(status.streams);
  byId("sessions-count").textContent = shownOf(status.sessions.length, status.session_count);
  byId("streams-count").textContent = shownOf(status.streams.length, status.stream_count);
}

async function loadConfiguration() {
  const answer = await fetch("/config");
  if (!answer.ok) return;
  const lines = (await answer.text()).trimEnd().split("\n").map(line => {
    const span = document.createElement("span");
    span.className = line.startsWith("#") ? "default" : line.startsWith("[") ? "table" : "";
    span.textContent = line + "\n";
    return span;
  });
  byId("config").replaceChildren(...lines);
}

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("history", e => board.replace(JSON.parse(e.data)));
  events.addEventListener("status", e => showStatus(JSON.parse(e.data)));
  events.addEventListener("error", () => {
    showStale();
    // A refusal, unlike a broken connection, is not tried again by itself.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, retryAfter);
  });
}

listen();
// A process that is stopped, or a network that swallows everything, breaks no connection.
setInterval(() => {
  if (heard !== null && Date.now() - heard > staleAfter) showStale();
}, 1000);
