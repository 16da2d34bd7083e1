import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser, visit } from "yaml";
import type { Alias, CST, Document, Node } from "yaml";
import type { Work } from "../core/values/sliced-work.ts";

interface SourcePosition {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlFile {
  /** Plain values without cycles and of bounded depth. */
  readonly value: unknown;
  /** The position of the field or list entry at `path`, or of the nearest existing parent. */
  readonly positionOf: (path: readonly string[]) => SourcePosition;
}

export interface YamlProblem extends SourcePosition {
  readonly message: string;
}

/** Far more than a configuration needs, and far less than would overflow the stack. */
const depthMax = 64;
const lengthMax = 5_000_000;
const aliasesMax = 100;
const problemsMax = 20;
/** YAML tokens read in one slice, which takes a few milliseconds. A person has about 90 tokens. */
const sliceTokens = 5_000;
/** The approximate cost of a slice in microseconds. */
export const sliceCost = 5_000;
const plainTag = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;

/**
 * Reads one YAML 1.2 document as plain values. It refuses duplicate keys, custom tags, cyclic or multiplying aliases,
 * several documents and an empty file.
 */
export function* readYaml(
  text: string,
): Work<{ readonly ok: YamlFile } | { readonly problems: readonly YamlProblem[] }> {
  if (text.length > lengthMax)
    return { problems: [{ line: 1, column: 1, message: "the file is too large" }] };
  const lines = new LineCounter();
  const position = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const tokens = yield* tokensOf(text, lines);
  yield sliceCost;
  const [document, second] = documentsOf(tokens);
  yield sliceCost;
  if (document === undefined || isEmpty(document)) {
    return {
      problems: [{ line: 1, column: 1, message: "the file is empty; write {} for an empty configuration" }],
    };
  }
  const faults = faultsOf(document);
  if (second !== undefined) {
    faults.push({ offset: second.range[0], message: "a second document begins here; only one is read" });
  }
  if (faults.length > 0) {
    return {
      problems: faults.slice(0, problemsMax).map(({ offset, message }) => ({ ...position(offset), message })),
    };
  }
  yield sliceCost;
  const value = plainValue(document);
  yield sliceCost;
  if (value === undefined) {
    return {
      problems: [{ line: 1, column: 1, message: "is nested too deeply or repeats too much by aliases" }],
    };
  }
  return { ok: { value: value.plain, positionOf: (path) => position(offsetOf(document, path)) } };
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

type Parsed = Document.Parsed;

/** Tokenizes a text in slices; the library's own parser would do it in one go. */
function* tokensOf(text: string, lines: LineCounter): Work<readonly CST.Token[]> {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let count = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (++count % sliceTokens === 0) yield sliceCost;
  }
  tokens.push(...parser.end());
  return tokens;
}

function documentsOf(tokens: readonly CST.Token[]): readonly Parsed[] {
  const composer = new Composer<Parsed["contents"] & Node>({
    version: "1.2",
    schema: "core",
    merge: false,
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  return [...composer.compose(tokens)];
}

function isEmpty(document: Parsed): boolean {
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.source === "" && document.errors.length === 0);
}

function faultsOf(document: Parsed): Fault[] {
  const faults = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message,
  }));
  if (faults.length > 0) return faults;
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") {
    faults.push({ offset: 0, message: "must be YAML 1.2" });
  }
  visit(document, {
    Node: (_key, node, ancestors) => {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) {
        const message = aliasFault(document, node, ancestors);
        if (message !== undefined) faults.push({ offset, message });
      } else if (node.tag !== undefined && !plainTag.test(node.tag)) {
        faults.push({ offset, message: `the tag ${node.tag} is unknown` });
      }
    },
  });
  return faults;
}

function aliasFault(document: Parsed, alias: Alias, ancestors: readonly unknown[]): string | undefined {
  const target = alias.resolve(document);
  if (target === undefined) return `nothing before this is anchored as &${alias.source}`;
  return ancestors.includes(target) ? `*${alias.source} is inside the value it repeats` : undefined;
}

/** The plain value of a document. Undefined when it is nested too deeply, or aliases make it too large. */
function plainValue(document: Parsed): { readonly plain: unknown } | undefined {
  try {
    const plain: unknown = document.toJS({ maxAliasCount: aliasesMax });
    return isDeeper(plain, depthMax) ? undefined : { plain };
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function offsetOf(document: Parsed, path: readonly string[]): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const key of path) {
    const next: { readonly at: Node | null; readonly value: Node | null } | undefined = step(
      document,
      node,
      key,
    );
    if (next === undefined) return offset;
    offset = next.at?.range?.[0] ?? offset;
    node = next.value;
  }
  return offset;
}

/** The field or entry `key` of a node: the node that names it, and its value. */
function step(document: Parsed, from: Node | null, key: string) {
  const node = isAlias(from) ? from.resolve(document) : from;
  if (isMap<Node, Node | null>(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    return pair === undefined ? undefined : { at: pair.key, value: pair.value };
  }
  if (!isSeq<Node>(node)) return undefined;
  const entry = node.items[Number(key)];
  return entry === undefined ? undefined : { at: entry, value: entry };
}
