/** The candidate that a slip of the fingers made this word of; undefined when none is near enough to be a guess. */
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
  const nearEnough = typed.length <= 4 ? 1 : typed.length <= 7 ? 2 : 3;
  return bestDistance <= nearEnough ? best : undefined;
}

/** Longer than any command with a slip in it; keeps the table below small whatever is typed. */
const typedLengthMax = 40;

/** How many letters were left out, added, changed or swapped with their neighbour. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
