/** A fenced block: its info string and content. */
export interface Fence {
  readonly info: string;
  readonly content: string;
}

export function fencesOf(page: string): readonly Fence[] {
  return [...page.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = "", content = ""]) => ({
    info,
    content,
  }));
}

/** The cells of the first table below a heading, without its header row. */
export function tableUnder(page: string, heading: string): readonly (readonly string[])[] {
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [, , ...rows] = /(?:^\|.*\n)+/m.exec(section)?.[0].trimEnd().split("\n") ?? [];
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Everything between single backticks. */
export function codeIn(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** The first code span of each row of that table. */
export function rowNames(page: string, heading: string): string[] {
  return tableUnder(page, heading).map(([cell]) => codeIn(cell)[0] ?? `no code in "${cell}"`);
}

/** The targets of links. */
export function linksOf(page: string): string[] {
  return [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** Headings as links name them: lower case, without punctuation, spaces as hyphens. */
export function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** A pattern for expected output, where `…` matches anything within a line. */
export function printedAs(printed: string): RegExp {
  const literally = (part: string): string => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  return new RegExp(`^${printed.trimEnd().split("…").map(literally).join("[^\n]+")}\n?$`);
}
