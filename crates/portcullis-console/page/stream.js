// Events as they happen, by server-sent events through `fetch`: `EventSource` cannot send a token.

import { send } from "./api.js";
import { emit } from "./store.js";

/** After a failure, and doubled up to the last. */
const BACKOFF = [500, 1000, 2000, 4000, 8000];
/** The service says something each 15 s; after this silence the connection is dead. */
const SILENCE = 40_000;

let lastId = null;
let failures = 0;
let wake = null;

/** Begins, and goes on for as long as the page is there. */
export async function start() {
  for (;;) {
    try {
      await listen();
    } catch {
      // The polls show whether the service is there; this only tries again.
    }
    const wait = BACKOFF[Math.min(failures, BACKOFF.length - 1)];
    failures += 1;
    await Promise.race([pause(wait), new Promise((resolve) => { wake = resolve; })]);
  }
}

/** Tries at once, since the service is there again. */
export function retry() {
  wake?.();
}

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

async function listen() {
  const abort = new AbortController();
  const headers = { accept: "text/event-stream", ...(lastId === null ? {} : { "last-event-id": lastId }) };
  let watchdog = setTimeout(() => abort.abort(), SILENCE);
  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => abort.abort(), SILENCE);
  };
  try {
    const answer = await send("api/events", { headers }, abort.signal);
    if (!answer.ok || !answer.body) throw new Error(`events: ${answer.status}`);
    await readAll(answer.body.pipeThrough(new TextDecoderStream()).getReader(), alive);
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}

async function readAll(reader, alive) {
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    failures = 0;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    const messages = blocks.map(parse).filter((message) => message !== null);
    if (messages.length > 0) emit("stream", messages);
  }
}

/** One message: its event and its data; `null` for a comment. */
function parse(block) {
  const message = { event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, field, text] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "id") lastId = text;
    else if (field === "event") message.event = text;
    else if (field === "data") message.data += text;
  }
  try {
    return message.data === "" ? null : { event: message.event, data: JSON.parse(message.data) };
  } catch {
    return null;
  }
}
