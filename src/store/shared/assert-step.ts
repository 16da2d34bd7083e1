import { assert } from "../../core/values/assert.ts";
import type { Step } from "../../service/ports/store.ts";
import { recordOf, versionExpected } from "./step-records.ts";

/** What every write of a step needs; a step without is a bug of the caller, found before anything is written. */
export function assertStepValid(step: Step): void {
  const written = new Set<string>();
  for (const write of step.writes) {
    const record = recordOf(write);
    if (record === undefined) continue;
    const name = `${record.kind}:${record.id}`;
    assert(
      versionExpected(step, record.kind, record.id) !== undefined,
      `a step that writes ${name} expects its version`,
    );
    if (record.kind === "rulebook") continue;
    assert(!written.has(name), `a step writes ${name} once`);
    written.add(name);
  }
}
