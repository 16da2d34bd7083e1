/** A piece of a line in one style. */
export interface Run {
  readonly text: string;
  readonly bold?: boolean;
  readonly large?: boolean;
  readonly subtle?: boolean;
  readonly code?: boolean;
}

export interface Look {
  readonly left: number;
  readonly width: number;
  readonly accent: string;
  readonly danger: string;
  /** Whether dangerous buttons are filled, as in Slack. */
  readonly fill: boolean;
}

type Style = "primary" | "danger" | undefined;

/** An SVG that grows downwards. Fonts are the reader's own, so widths are estimates with some room. */
export interface Drawing {
  readonly look: Look;
  shape(markup: string): void;
  line(runs: readonly Run[], at: { readonly x: number; readonly y: number }): void;
  /** Moves down, and answers the baseline of what comes there. */
  down(by: number): number;
  columns(cells: readonly (readonly (readonly Run[])[])[]): void;
  addButton(label: string, style: Style): void;
  svg(title: string): string;
}

const lineHeight = 22;
const characterWidth = 7.4;

export function drawing(look: Look): Drawing {
  const parts: string[] = [];
  const said: string[] = [];
  let y = 12;
  let buttons: { readonly label: string; readonly style: Style }[] = [];

  const line: Drawing["line"] = (runs, at) => {
    said.push(runs.map(({ text }) => text).join(""));
    parts.push(`<text x="${at.x}" y="${at.y}">${runs.map(span).join("")}</text>`);
  };
  /** Buttons stand in one row until something else comes. */
  const endButtons = (): void => {
    if (buttons.length === 0) return;
    let x = look.left;
    const top = y + 14;
    for (const { label, style } of buttons) {
      const width = Math.round(label.length * characterWidth + 26);
      parts.push(buttonMarkup(look, { label, style, x, top, width }));
      said.push(label);
      x += width + 8;
    }
    y = top + 34;
    buttons = [];
  };
  const down = (by: number): number => {
    endButtons();
    return (y += by);
  };

  return {
    look,
    shape: (markup) => void parts.push(markup),
    line,
    down,
    columns(cells) {
      const width = (look.width - look.left - 16) / 2;
      const wrapped = cells.map((lines) => lines.flatMap((one) => wrap(one, width)));
      const top = down(lineHeight + 4);
      for (const [column, lines] of wrapped.entries()) {
        for (const [index, runs] of lines.entries()) {
          line(runs, { x: look.left + column * width, y: top + index * lineHeight });
        }
      }
      down((Math.max(...wrapped.map((lines) => lines.length)) - 1) * lineHeight);
    },
    addButton: (label, style) => void buttons.push({ label, style }),
    svg(title) {
      endButtons();
      const height = y + 18;
      return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${look.width} ${height}" width="${look.width}" height="${height}" role="img" aria-labelledby="t d">`,
        `<title id="t">${escaped(title)}</title>`,
        `<desc id="d">${escaped(said.join(". "))}</desc>`,
        "<style>text{font:14px -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:#1d1c1d;white-space:pre}.b{font-weight:700}.l{font-size:18px}.s{fill:#616061}.c{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px}</style>",
        `<rect x=".5" y=".5" width="${look.width - 1}" height="${height - 1}" rx="8" fill="#fff" stroke="#d0d0d0"/>`,
        ...parts,
        "</svg>\n",
      ].join("\n");
    },
  };
}

export function row(picture: Drawing, runs: readonly Run[], { isQuote = false } = {}): void {
  const { left, width } = picture.look;
  const room = width - left - (isQuote ? 40 : 16);
  for (const [index, line] of wrap(runs, room).entries()) {
    const y = picture.down(index > 0 ? lineHeight : lineHeight + (isQuote ? 2 : 4));
    if (isQuote) {
      const box = `y="${y - 16}" height="${lineHeight}"`;
      picture.shape(
        `<rect x="${left}" ${box} width="${width - left - 16}" fill="#f5f5f5"/><rect x="${left}" ${box} width="4" fill="#ddd"/>`,
      );
    }
    picture.line(line, { x: left + (isQuote ? 14 : 0), y });
  }
}

/** A field of a form with what is typed into it, or its placeholder. */
export function field(picture: Drawing, label: string, shown: Run): void {
  const { left, width } = picture.look;
  row(picture, [{ text: label }]);
  const y = picture.down(lineHeight + 6);
  picture.shape(
    `<rect x="${left}" y="${y - 18}" width="${width - left - 20}" height="26" rx="4" fill="#fff" stroke="#bbb"/>`,
  );
  picture.line([shown], { x: left + 10, y });
  picture.down(4);
}

export function divider(picture: Drawing): void {
  const { left, width } = picture.look;
  const y = picture.down(12);
  picture.shape(`<line x1="${left}" y1="${y}" x2="${width - 16}" y2="${y}" stroke="#ddd"/>`);
}

export function button(picture: Drawing, label: string, style: Style): void {
  picture.addButton(label, style);
}

function buttonMarkup(
  look: Look,
  one: {
    readonly label: string;
    readonly style: Style;
    readonly x: number;
    readonly top: number;
    readonly width: number;
  },
): string {
  const isFilled = one.style === "primary" || (one.style === "danger" && look.fill);
  const colour = one.style === undefined ? "#1d1c1d" : one.style === "primary" ? look.accent : look.danger;
  const [fill, stroke, ink] = isFilled ? [colour, colour, "#fff"] : ["#fff", "#bbb", colour];
  return (
    `<rect x="${one.x}" y="${one.top}" width="${one.width}" height="30" rx="4" fill="${fill}" stroke="${stroke}"/>` +
    `<text x="${one.x + one.width / 2}" y="${one.top + 20}" text-anchor="middle" class="b" style="fill:${ink};font-size:13px">${escaped(one.label)}</text>`
  );
}

/** Breaks at spaces; a piece keeps its style. */
function wrap(runs: readonly Run[], width: number): readonly (readonly Run[])[] {
  const lines: Run[][] = [[]];
  let used = 0;
  for (const run of runs) {
    for (const word of run.text.split(/(?<= )/)) {
      if (used > 0 && used + word.length > width / characterWidth) {
        lines.push([]);
        used = 0;
      }
      const line = lines.at(-1) ?? [];
      const last = line.at(-1);
      if (last !== undefined && isContinued(last, run))
        line.splice(-1, 1, { ...run, text: last.text + word });
      else line.push({ ...run, text: word });
      used += word.length;
    }
  }
  return lines;
}

function isContinued({ text: _text, ...one }: Run, { text: _other, ...other }: Run): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function span({ text, bold, large, subtle, code }: Run): string {
  const classes = [bold && "b", large && "l", subtle && "s", code && "c"].filter(
    (one) => typeof one === "string",
  );
  return classes.length === 0
    ? escaped(text)
    : `<tspan class="${classes.join(" ")}">${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
