import { expect, test } from "vitest";
import { createCounter, createGauge, createHistogram } from "../../src/app/observability/prometheus-text.ts";

test("a counter has one line for each set of labels, and adds up", async () => {
  const counter = createCounter("jit_calls_total", "Calls.", ["route", "status"]);
  counter.add(["/a", "200"]);
  counter.add(["/a", "404"], 0);
  counter.add(["/a", "200"], 2);
  expect(await counter.text()).toBe(
    [
      "# HELP jit_calls_total Calls.",
      "# TYPE jit_calls_total counter",
      'jit_calls_total{route="/a",status="200"} 3',
      'jit_calls_total{route="/a",status="404"} 0',
      "",
    ].join("\n"),
  );
});

test("a label's value cannot end the label, the line or begin another one", async () => {
  const counter = createCounter("jit_calls_total", "Calls.", ["route"]);
  counter.add(['"} 1\njit_fake{a="\\']);
  expect((await counter.text()).split("\n").slice(2)).toEqual([
    'jit_calls_total{route="\\"} 1\\njit_fake{a=\\"\\\\"} 1',
    "",
  ]);
});

test("a histogram's buckets hold what is at most their bound, all that came before included", async () => {
  const histogram = createHistogram("jit_seconds", "Time.", ["route"], [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe(["/a"], seconds);
  expect((await histogram.text()).split("\n").slice(2)).toEqual([
    'jit_seconds_bucket{route="/a",le="0.1"} 2',
    'jit_seconds_bucket{route="/a",le="1"} 3',
    'jit_seconds_bucket{route="/a",le="+Inf"} 4',
    'jit_seconds_sum{route="/a"} 7.65',
    'jit_seconds_count{route="/a"} 4',
    "",
  ]);
});

test("what has no labels is there before the first event", async () => {
  const histogram = createHistogram("jit_seconds", "Time.", [], [1]);
  expect(await histogram.text()).toContain('jit_seconds_bucket{le="+Inf"} 0\njit_seconds_sum 0\n');
});

test("a gauge is read when somebody looks", async () => {
  let depth = 1;
  const gauge = createGauge("jit_depth", "Depth.", async () => depth);
  depth = 2;
  expect(await gauge.text()).toBe("# HELP jit_depth Depth.\n# TYPE jit_depth gauge\njit_depth 2\n");
});
