/** The candidate most similar to a mistyped word; undefined when none is similar enough. */
export function closestMatch<Word extends string>(
  typed: string,
  candidates: readonly Word[],
): Word | undefined {
  if (typed.length > typedLengthMax) return undefined;
  let best: Word | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  const distanceMax = typed.length <= 4 ? 1 : typed.length <= 7 ? 2 : 3;
  return bestDistance <= distanceMax ? best : undefined;
}

/** Longer than any mistyped command; limits the size of the table below. */
const typedLengthMax = 40;

/** Counts the letters that were omitted, added, changed or swapped with a neighbour. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const distanceAt = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          distanceAt(row - 1, column) + 1,
          distanceAt(row, column - 1) + 1,
          distanceAt(row - 1, column - 1) + (isSame ? 0 : 1),
          isSwapped ? distanceAt(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return distanceAt(a.length, b.length);
}
