/** Does something with each, at most so many side by side. The first that throws ends the rest. */
export async function forEachLimited<T>(
  all: readonly T[],
  sideBySideMax: number,
  act: (one: T) => Promise<void>,
): Promise<void> {
  const waiting = all.values();
  const worker = async (): Promise<void> => {
    for (const one of waiting) await act(one);
  };
  await Promise.all(Array.from({ length: Math.min(sideBySideMax, all.length) }, worker));
}
