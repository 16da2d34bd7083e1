/*
 * What Prometheus reads, in its text format 0.0.4. By ourselves, because the usual library loads eighty modules, most of
 * them OpenTelemetry's, for the four kinds of lines below, and looks at every label's name again at each count.
 */

/** One metric with everything that has been counted under it. */
export interface Family {
  /** Its lines at this moment, the last one ended. */
  readonly text: () => Promise<string> | string;
}

export interface Counter extends Family {
  /** One value for each label, in the order of their names. */
  readonly add: (values: readonly string[], count?: number) => void;
}

export interface Histogram extends Family {
  readonly observe: (values: readonly string[], value: number) => void;
}

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

export function createCounter(name: string, help: string, labels: readonly string[]): Counter {
  const all = createSeries(labels, () => ({ count: 0 }));
  return {
    add: (values, count = 1) => {
      all.of(values).count += count;
    },
    text: () =>
      familyText(
        name,
        help,
        "counter",
        all.list().map(([series, { count }]) => line(name, series, count)),
      ),
  };
}

/** `bounds` ascend; what is above the last counts under `+Inf` alone. */
export function createHistogram(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
): Histogram {
  const all = createSeries(labels, () => ({ buckets: [...bounds, Infinity].map(() => 0), sum: 0 }));
  // Without labels there is one series, and it is there from the start.
  if (labels.length === 0) all.of([]);
  return {
    observe: (values, value) => {
      const found = all.of(values);
      const above = bounds.findIndex((bound) => value <= bound);
      const index = above === -1 ? bounds.length : above;
      found.buckets[index] = (found.buckets[index] ?? 0) + 1;
      found.sum += value;
    },
    text: () =>
      familyText(
        name,
        help,
        "histogram",
        all.list().flatMap(([series, { buckets, sum }]) => {
          let count = 0;
          const bucketLines = buckets.map((inBucket, index) => {
            count += inBucket;
            const bound = `le="${bounds[index] ?? "+Inf"}"`;
            return line(`${name}_bucket`, series === "" ? bound : `${series},${bound}`, count);
          });
          return [...bucketLines, line(`${name}_sum`, series, sum), line(`${name}_count`, series, count)];
        }),
      ),
  };
}

/** Read when somebody looks. */
export function createGauge(name: string, help: string, read: () => Promise<number> | number): Family {
  return { text: async () => familyText(name, help, "gauge", [line(name, "", await read())]) };
}

/** Always 1: a fact in labels, as Prometheus has it. */
export function createInfo(name: string, help: string, labels: Readonly<Record<string, string>>): Family {
  const series = seriesOf(Object.keys(labels), Object.values(labels));
  return { text: () => familyText(name, help, "gauge", [line(name, series, 1)]) };
}

/** What has been counted under each set of values, a tree with a level for each label. No text is made to count. */
function createSeries<T>(labels: readonly string[], start: () => T) {
  interface Branch {
    readonly below: Map<string, Branch>;
    counted?: T;
  }
  const root: Branch = { below: new Map() };
  const all: (readonly [series: string, counted: T])[] = [];
  return {
    of: (values: readonly string[]): T => {
      let branch = root;
      for (const value of values) {
        let next = branch.below.get(value);
        if (next === undefined) branch.below.set(value, (next = { below: new Map() }));
        branch = next;
      }
      if (branch.counted === undefined) {
        branch.counted = start();
        all.push([seriesOf(labels, values), branch.counted]);
      }
      return branch.counted;
    },
    /** In the order in which they first came. */
    list: () => all,
  };
}

function seriesOf(labels: readonly string[], values: readonly string[]): string {
  return labels.map((label, index) => `${label}="${escaped(values[index] ?? "")}"`).join(",");
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}

function line(name: string, series: string, value: number): string {
  return `${name}${series === "" ? "" : `{${series}}`} ${value}\n`;
}

function familyText(name: string, help: string, type: string, lines: readonly string[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
