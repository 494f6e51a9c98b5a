// The page's parts, put together.

import { actOnAll } from "./actions.js";
import * as detail from "./detail.js";
import { closable } from "./dialog.js";
import { byId } from "./dom.js";
import * as events from "./events.js";
import * as filter from "./filter.js";
import { Grid } from "./grid.js";
import * as keys from "./keys.js";
import { announce, announceChanges } from "./live.js";
import * as picture from "./picture.js";
import * as poll from "./poll.js";
import * as settings from "./settings.js";
import { on, store } from "./store.js";
import * as stream from "./stream.js";
import * as theme from "./theme.js";
import * as top from "./top.js";
import * as views from "./views.js";

const open = (id) => void detail.openDetail(id);
const grid = new Grid(open);

function showPolicies() {
  if (store.answer === null) return;
  top.showLevels();
  filter.offer();
  grid.set(filter.wanted());
}

theme.setUp();
top.setUp(showPolicies);
events.setUp(open);
picture.setUp(open);
settings.setUp();
views.setUp();
filter.watch(showPolicies);
keys.setUp({
  grid,
  cleared: showPolicies,
  filterUnwell: () => byId("filter-unwell").click(),
});
document.querySelectorAll("dialog").forEach(closable);
for (const what of ["stop", "release", "reset"]) byId(`${what}-all`).addEventListener("click", () => void actOnAll(what));
byId("release-stopped").addEventListener("click", () => void actOnAll("release"));

let first = true;
on("policies", () => {
  byId("loading").hidden = true;
  byId("to-settings").hidden = !store.answer.config;
  showPolicies();
  events.seed();
  picture.refresh();
  detail.refresh();
  if (first) detail.openFromAddress();
  first = false;
});
on("pipelines", picture.show);
on("changes", announceChanges);

let connection = null;
on("connection", () => {
  top.showConnection();
  const { connection: now } = store;
  if (now === "live") stream.retry();
  if (connection !== null && now !== connection && now !== "connecting") {
    announce(now === "live" ? "Connected again." : "Not connected: what is shown is old.");
  }
  connection = now;
});

views.onShow("policies", showPolicies);
views.onShow("pipelines", picture.draw);
views.onShow("settings", () => void settings.show());
views.choose("policies");
addEventListener("hashchange", detail.openFromAddress);
poll.start();
void stream.start();
