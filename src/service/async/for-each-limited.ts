/** Calls `act` for each item, at most `concurrencyMax` at a time. The first error ends the rest. */
export async function forEachLimited<T>(
  items: readonly T[],
  concurrencyMax: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrencyMax, items.length) }, worker));
}
