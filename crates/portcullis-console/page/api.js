// The service's interface. All paths are relative: the prefix is the user's choice.

import { ask, forget, token } from "./token.js";

/** An answer that was not a success, with what the service said about it; without a status, there was none. */
export class Problem extends Error {
  constructor(status, detail, body = {}) {
    super(detail);
    this.status = status;
    this.body = body;
  }
}

/** How long an answer may take. */
const PATIENCE = 10_000;

/** Reads JSON. */
export const get = (path) => request(path, {}, "This console is closed to readers without a token.");

/** Changes something. */
export const post = (path, body) => change("POST", path, body);

export const put = (path, body) => change("PUT", path, body);

function change(method, path, body) {
  const options = { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return request(path, options, "Changes need a token.");
}

/** The path of a policy: names may hold any character. */
export const policyPath = (name, action) => `api/policies/${segment(name)}${action ? `/${action}` : ""}`;

/** As it stands between slashes; a name of dots alone would be taken for a way through the tree. */
export const segment = (name) => encodeURIComponent(name).replaceAll(".", "%2E");

/** Asks, and asks for a token once where one is needed. */
async function request(path, options, why) {
  const answer = await patiently(path, options);
  if (answer.status !== 401) return read(answer);
  const rejected = token() !== null;
  forget();
  const given = await ask(rejected ? `${why} The one that was given is not right.` : why);
  if (!given) throw new Problem(401, "A token is needed.");
  return read(await patiently(path, options));
}

async function patiently(path, options) {
  try {
    return await send(path, options, AbortSignal.timeout(PATIENCE));
  } catch {
    throw new Problem(0, "There is no answer.");
  }
}

/** One request, with the token if there is one. */
export function send(path, options, signal) {
  const headers = { ...options.headers };
  const secret = token();
  if (secret !== null) headers.authorization = `Bearer ${secret}`;
  return fetch(path, { ...options, headers, signal, cache: "no-store", credentials: "same-origin", redirect: "error" });
}

async function read(answer) {
  const body = parse(await answer.text().catch(() => { throw new Problem(0, "The answer broke off."); }));
  if (!answer.ok) {
    throw new Problem(answer.status, body.detail ?? body.title ?? `The service answered ${answer.status}.`, body);
  }
  return body;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
