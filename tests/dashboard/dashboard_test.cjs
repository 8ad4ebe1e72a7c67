// dashboard_test.cjs - the dashboard as an operator meets it: in a browser, before a real server.
"use strict";
const assert = require("node:assert");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { Server, until } = require("./server.cjs");

const modules = process.env.DASHBOARD_NODE_MODULES, pictures = process.env.DASHBOARD_PICTURES;
const { chromium } = require(path.join(modules, "playwright-core"));
const axe = require(path.join(modules, "axe-core")).source;
const HOSTILE = '<img src=x onerror="document.title=1">';

let server, browser, page, loud = [];

async function open(url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const opened = await context.newPage();
  opened.on("console", (m) => ["error", "warning"].includes(m.type()) && loud.push(`${m.type()}: ${m.text()}`));
  opened.on("requestfailed", (r) => { // but for what a page that is left has not waited for
    if (r.failure()?.errorText !== "net::ERR_ABORTED") loud.push(`${r.url()}: ${r.failure()?.errorText}`);
  });
  opened.on("pageerror", (error) => loud.push(String(error)));
  await opened.goto(url);
  return opened;
}

const text = (selector, on = page) => on.locator(selector).first().textContent();
const live = (on = page) => until("the page is live", async () => (await text("#connection", on)) === "Live");
const go = (hash) => page.evaluate((to) => (location.hash = to), hash);

// A cell of the overview's table.
const cell = (queue, column) => text(`.queues tr:has(a[href="#/queue/${queue}"]) td[data-name="${column}"] .value`);

// Runs in the page: an RPC over a connection of its own.
function ask([event, body]) {
  return import("/link.js").then(({ Link }) => new Promise((resolve, reject) => {
    const link = new Link({
      url: `ws://${location.host}/socket.io/?EIO=4&transport=websocket`, namespace: "/admin", auth: () => ({}),
      onEvent() {},
      onState(state) {
        if (state === "open") link.ask(event, body).then(resolve, reject).finally(() => link.close());
      },
    });
    link.open();
  }));
}

before(async () => {
  server = await new Server("--dashboard", "play").start();
  browser = await chromium.launch({
    executablePath: process.env.DASHBOARD_CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
  page = await open(server.url);
  await live();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("the page comes with a policy that lets nothing in from elsewhere", async () => {
  const answer = await fetch(server.url);
  const policy = answer.headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
});

test("the parts reckon right", async () => {
  const parts = await page.evaluate(async () => {
    const { parsePacket } = await import("/link.js");
    const { Queue, quantile_ms, troubled, verdict } = await import("/store.js");
    const { headline } = await import("/mood.js");
    const { niceCeiling, path } = await import("/chart.js");
    const { duration, percent } = await import("/words.js");
    const queue = new Queue("q");
    const at = (s, created, matched, expired, waits) => queue.take({ ticketsCreatedTotal: created,
      ticketsMatchedTotal: matched, ticketsExpiredTotal: expired, matchesTotal: matched / 2, qualityMean: 80,
      waits: [{ upToMs: 100, players: waits }], rejections: [{ name: "r", count: created }] }, s * 1000);
    at(0, 1000, 900, 0, 900);
    const young = verdict(queue.now);
    for (let s = 1; s <= 70; s++) at(s, 1000 + 10 * s, 900 + 8 * s, s, 900 + 8 * s);
    const minute = structuredClone(queue.now), mood = verdict(queue.now);
    const stuck = new Queue("stuck");
    for (let s = 0; s <= 20; s++)
      stuck.take({ ticketsQueued: 10 * s, ticketsCreatedTotal: 10 * s, oldestWaitMs: 1000 * s }, 1000 * s);
    const words = [headline(mood), headline(verdict(stuck.now)), headline(mood, troubled([queue, stuck]).map((q) => q.name))];
    at(71, 5, 4, 0, 4); // another matcher has taken over
    return {
      packets: ['2/admin,["a",1]', '3/admin,12[{"ok":true}]', "0/admin,{}", '2["b"]', "2/admin,[", "x"].map(parsePacket),
      quantiles: [0.5, 0.9, 0.99].map((f) => quantile_ms({ 8: 50, 16: 40, 1000: 10 }, f)).concat(quantile_ms({}, 0.5)),
      headlines: words, young, minute: minute.minute, arrivals: minute.arrivals, mood, rejections: minute.rejections,
      takenOver: queue.now.minute,
      ceilings: [0, 1, 1.5, 3, 5, 7, 60, 61].map(niceCeiling),
      path: path([0, 1000, 9000].map((time_ms) => ({ time_ms })), () => 1, (t) => t / 1000, (v) => v),
      words: [duration(999), duration(9940), duration(119000), duration(7200000), percent(0.999), percent(0.001), percent(1)],
    };
  });
  const packet = (type, namespace, id, data) => ({ type, namespace, id, data });
  assert.deepEqual(parts.packets, [packet("2", "/admin", null, ["a", 1]), packet("3", "/admin", 12, [{ ok: true }]),
    packet("0", "/admin", null, {}), packet("2", "/", null, ["b"]), null, null]);
  assert.deepEqual(parts.quantiles, [8, 16, 1000, null]);
  assert.equal(parts.young.share, 1); // all there is, until a window is long enough
  assert.deepEqual(parts.minute, { created: 600, matched: 480, cancelled: 0, expired: 60, matches: 240, qualitySum: 19200 });
  assert.equal(parts.arrivals, 10);
  assert.equal(parts.mood.mood, "fair"); // 8 of 9 had a match
  assert.deepEqual(parts.headlines, ["Some players leave without a match", "Players wait, and nobody is matched",
    "Players are not happy in stuck"]);
  assert.deepEqual(parts.rejections, [{ name: "r", count: 600 }]);
  assert.equal(parts.takenOver.matched, 4);
  assert.deepEqual(parts.ceilings, [1, 1, 2, 4, 6, 10, 60, 100]);
  assert.equal(parts.path, "M0.0 1.0L1.0 1.0M9.0 1.0");
  assert.deepEqual(parts.words, ["999 ms", "9.9 s", "119 s", "2.0 h", ">99 %", "<1 %", "100 %"]);
});

test("numbers agree with GetQueueStats while 200 simulated players come and go", async () => {
  await go("#/play");
  await page.selectOption("#play-queue", "5v5_arena");
  await page.fill("#play-patience", "3");
  await page.fill("#play-rate", "23"); // no multiple of a match, so that what is left over moves
  await go("#/");
  // The page is at most one census behind: what it shows, the api has said within the last seconds.
  const said = [];
  const moved = new Set();
  let agreed = 0;
  await until("the page has shown what the api said, and it moved", async () => {
    const stats = await server.stats("5v5_arena");
    said.push(Number(stats.ticketsQueued ?? 0));
    const shown = Number((await cell("5v5_arena", "Waiting")).replaceAll(",", ""));
    if (said.slice(-40).includes(shown)) agreed++;
    moved.add(shown);
    return agreed >= 10 && moved.size > 2 && Number(stats.ticketsCreatedTotal) >= 200;
  });
  await go("#/play");
  await page.click("text=Stop");
  await until("all have been matched or have left", async () => Number((await server.stats("5v5_arena")).ticketsQueued ?? 0) === 0);
  const stats = await server.stats("5v5_arena");
  assert.ok(Number(stats.ticketsMatchedTotal) > 0);
  await go("#/");
  await page.reload(); // then its first window is all since the take-over, like the api's numbers
  await live();
  const { duration, percent } = await page.evaluate(async ([p50, p90, p99, share]) => {
    const words = await import("/words.js");
    return { duration: [p50, p90, p99].map(words.duration), percent: words.percent(share) };
  }, [stats.waitP50Ms, stats.waitP90Ms, stats.waitP99Ms, stats.ticketsMatchedTotal / stats.ticketsCreatedTotal]);
  await until("the table has the api's numbers", async () => (await cell("5v5_arena", "Matched")) === percent);
  assert.deepEqual([await cell("5v5_arena", "p50"), await cell("5v5_arena", "p90"), await cell("5v5_arena", "p99")], duration);
  assert.equal(await cell("5v5_arena", "Quality"), stats.qualityMean.toFixed(0));
});

test("matches come with their teams, skills, regions, quality and waits; charts are drawn", async () => {
  await go("#/play");
  await page.selectOption("#play-queue", "5v5_arena");
  await page.fill("#play-patience", "30");
  await page.fill("#play-count", "60");
  await page.click("text=Add players");
  await go("#/queue/5v5_arena");
  await page.locator(".match summary").first().click();
  const opened = page.locator(".match[open]").first();
  await until("who plays is told", async () => /sim-\w+-\d+/.test(await opened.innerText())); // a frame later
  const match = await opened.innerText();
  assert.match(match, /5v5_arena/);
  assert.match(match, /team_1\s+mean \d+/);
  assert.match(match, /latency \d+ ms on average/);
  assert.equal(await opened.locator("tbody tr").count(), 10);
  await until("each chart has a line of several points", () => page.evaluate(() =>
    [...document.querySelectorAll(".chart svg")].every((drawing) =>
      [...drawing.querySelectorAll(".line")].some((line) => (line.getAttribute("d")?.match(/L/g) ?? []).length > 2))));
  assert.equal(await page.locator(".chart").count(), 4);
  await until("the rules are told in words", async () => /maxLatency/.test(await text(".rules")));
  await until("the versions are told", async () => /Version 1/.test(await text(".versions")));
});

test("a hostile player's texts stay texts, and his ticket says why it waits", async () => {
  const created = await page.evaluate(ask, ["create_tickets", { tickets: [{ queues: ["1v1_duel"], players: [{
    playerId: "mallory", attributes: { skill: 5000, motto: HOSTILE }, latenciesMs: { [HOSTILE]: 20 } }] }] }]);
  assert.equal(created.failures.length, 0, JSON.stringify(created));
  await go("#/queue/1v1_duel");
  await page.waitForSelector(".waiting >> text=mallory");
  await page.fill("#find-key", "mallory");
  await page.press("#find-key", "Enter");
  const dialog = page.locator("dialog[open]");
  await until("the reason is told", async () => /waited/.test(await dialog.innerText()));
  assert.ok((await dialog.innerText()).includes(HOSTILE));
  assert.equal(await page.locator("main img, dialog img, main script, dialog script").count(), 0);
  assert.match(await page.title(), /1v1_duel/);
  await page.keyboard.press("Escape");
  assert.equal(await dialog.count(), 0);
});

test("all can be done with the keyboard alone", async () => {
  await go("#/");
  await page.waitForSelector(".queues a");
  await page.evaluate(() => document.activeElement?.blur());
  const tabTo = async (what, wanted) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(wanted)) return;
    }
    assert.fail(`Tab does not reach ${what}`);
  };
  await tabTo("the skip link", () => document.activeElement.className === "skip");
  await tabTo("a queue", () => document.activeElement.textContent === "1v1_duel");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, "none");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".waiting >> text=mallory");
  await tabTo("a waiting ticket", () => document.activeElement.textContent === "mallory");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await tabTo("the theme", () => document.activeElement.id === "theme");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
});

const VIEWS = [["overview", "#/"], ["queue", "#/queue/5v5_arena"], ["matches", "#/matches"], ["log", "#/log"],
  ["play", "#/play"], ["ticket", "#/queue/1v1_duel"]];

test("axe finds no serious fault in any view, theme and width", async () => {
  const faults = [];
  for (const [width, colorScheme] of [[1280, "light"], [1280, "dark"], [390, "light"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    for (const [name, hash] of VIEWS) {
      await go(hash);
      if (name === "ticket") {
        await page.click(".waiting >> text=mallory");
        await page.waitForSelector("dialog[open] .sentences");
      }
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"], preload: false }));
      for (const v of violations.filter((v) => ["serious", "critical"].includes(v.impact)))
        faults.push(`${name} ${width} ${colorScheme}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target).join("; ")}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) faults.push(`${name} ${width}: ${wide} px wider than the screen`);
      if (pictures) await page.screenshot({ path: path.join(pictures, `${name}-${colorScheme}-${width}.png`), fullPage: name !== "log" });
      await page.evaluate(() => document.getElementById("ticket").close());
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(faults, []);
});

test("a queue with 10,000 waiting tickets keeps the page fluid", async () => {
  for (let batch = 0; batch < 10; batch++) {
    const tickets = Array.from({ length: 1000 }, (_, i) => ({ queues: ["1v1_duel"], players: [{
      playerId: `many-${batch}-${i}`, attributes: { skill: 10000 + 1000 * (batch * 1000 + i) } }] }));
    const answer = await page.evaluate(ask, ["create_tickets", { tickets }]);
    assert.equal(answer.failures.length, 0, JSON.stringify(answer.failures[0]));
  }
  await go("#/queue/1v1_duel");
  await until("the page shows 10,000", async () => Number((await text(".key.a b")).replaceAll(/\D/g, "")) > 10000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const busy_s = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find((m) => m.name === "TaskDuration").value;
  };
  const began_s = await busy_s();
  const frames = await page.evaluate(() => new Promise((resolve) => {
    const gaps = [], begin = performance.now();
    let last = begin;
    requestAnimationFrame(function frame(now) {
      gaps.push(now - last);
      last = now;
      if (now - begin < 4000) requestAnimationFrame(frame);
      else resolve(gaps.sort((a, b) => a - b));
    });
  }));
  const share = ((await busy_s()) - began_s) / 4;
  const median = frames[Math.floor(frames.length / 2)];
  console.log(`10,000 waiting: median frame ${median.toFixed(1)} ms, longest ${frames.at(-1).toFixed(0)} ms, main thread ${(100 * share).toFixed(0)} % busy`);
  assert.ok(median < 50, `the median frame takes ${median} ms`);
  assert.ok(share < 0.5, `the page's thread is busy ${share} of the time`);
  await page.click(".pager >> text=Younger");
  await until("the next page is there", async () => !(await page.locator(".pager >> text=Oldest").isDisabled()));
  await until("it is full", async () => (await page.locator(".waiting tbody tr").count()) === 15);
});

test("the page survives a restart of the server", async () => {
  assert.deepEqual(loud, []); // nothing was complained of until here
  await go("#/");
  await server.kill();
  await until("the page says that the server is away", async () => (await text("#connection")) === "Away");
  await until("it tells no old numbers as if they were new", async () => /No numbers/.test(await text(".hero h1")));
  await server.start();
  await live();
  await until("numbers are back", async () => Number((await cell("1v1_duel", "Waiting")).replaceAll(/\D/g, "")) > 10000);
  loud = loud.filter((line) => !/WebSocket connection to|ERR_CONNECTION_(REFUSED|RESET)/.test(line)); // meanwhile
  assert.deepEqual(loud, []);
});

test("with an admin-token nobody looks without it", async () => {
  const guarded = await new Server("--admin-token", "0123456789abcdef").start();
  const stranger = await open(guarded.url);
  try {
    await stranger.waitForSelector("text=Not let in");
    assert.equal(await stranger.locator(".queues").count(), 0);
    await stranger.fill("#token", "0123456789abcdeX");
    await stranger.click("text=Open");
    await stranger.waitForSelector("text=Not let in");
    await stranger.fill("#token", "0123456789abcdef");
    await stranger.click("text=Open");
    await live(stranger);
    await stranger.waitForSelector(".queues a");
    assert.equal(await stranger.locator("nav >> text=Play").count(), 0);
    assert.deepEqual(loud, []);
  } finally {
    await stranger.close();
    await guarded.close();
  }
});
