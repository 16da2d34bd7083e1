/** A programming error, as opposed to a person's mistake. It fails one operation and is logged, never swallowed. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** States what the code relies on. A failed assertion is a bug, so it throws. */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Bug(`assertion failed: ${claim}`);
}

/** Returns a value that the code relies on; a missing one is a bug. */
export function assertPresent<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Bug(`missing: ${what}`);
  return value;
}

/** Closes a switch over a union: adding a member makes this line a type error. */
export function assertNever(value: never): never {
  throw new Bug(`unexpected value: ${JSON.stringify(value)}`);
}
