import { assert } from "../../core/values/assert.ts";
import type { Step } from "../../service/ports/store.ts";
import { recordOf, versionExpected } from "./step-records.ts";

/**
 * Asserts that a step writes each versioned record once, and expects the version of each record that it writes. Called
 * before anything is written, because a violation is a bug of the caller.
 */
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
