import type { SubmissionFacts, TextSubject } from "./conditions.ts";
import type { Subject } from "./pattern-matching.ts";
import type { Scope } from "../values/ids.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** The source of all texts that conditions are compared with, for one scope. */
export interface TextSource {
  readonly scope: Scope;
  readonly facts: SubmissionFacts;
}

/** A text that a condition is compared with. All operators follow its `ignoresCase`. */
export interface TextField {
  readonly ignoresCase: boolean;
  readonly texts: (source: TextSource) => readonly string[];
}

/** The texts each type of condition is compared with; it holds if any of them matches. */
export const textFields: Readonly<Record<TextSubject, readonly TextField[]>> = {
  RESOURCE: [{ ignoresCase: false, texts: ({ scope }) => [resourceOf(scope)] }],
  ACTION: [{ ignoresCase: false, texts: ({ scope }) => [actionOf(scope)] }],
  SCOPE: [{ ignoresCase: false, texts: ({ scope }) => [scope] }],
  IDENTITY: [
    { ignoresCase: false, texts: ({ facts }) => [facts.subject.id] },
    { ignoresCase: true, texts: ({ facts }) => asList(facts.subject.email) },
  ],
  GROUP: [{ ignoresCase: false, texts: ({ facts }) => facts.subject.groups }],
  KIND: [{ ignoresCase: false, texts: ({ facts }) => [facts.subject.kind] }],
  REASON: [{ ignoresCase: false, texts: ({ facts }) => [facts.reason] }],
  TICKET: [{ ignoresCase: false, texts: ({ facts }) => asList(facts.ticket) }],
};

/** The texts in the form they are compared in: lower case where case is ignored. */
export function comparedTexts(type: TextSubject, source: TextSource): readonly Subject[] {
  return textFields[type].flatMap(({ ignoresCase, texts }) =>
    texts(source).map((text) => ({ text: ignoresCase ? text.toLowerCase() : text, folded: ignoresCase })),
  );
}

function asList(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}
