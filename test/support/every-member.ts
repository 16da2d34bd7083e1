import * as fc from "fast-check";

/**
 * One arbitrary for each member of a closed union, so that generated data covers them all: a member without an arbitrary
 * does not compile.
 */
export function everyMember<Member extends string, T>(
  arbitraries: Readonly<Record<Member, fc.Arbitrary<T>>>,
): fc.Arbitrary<T> {
  return fc.oneof(...Object.values<fc.Arbitrary<T>>(arbitraries));
}
