import type { Card } from "../service/card.ts";
import type { Line } from "../words/card-text.ts";
import type { MenuAction } from "../words/labels.ts";

/** What a person has to do and has, at one glance. */
export interface Home {
  readonly lead: readonly Line[];
  readonly sections: readonly HomeSection[];
  readonly buttons: readonly MenuAction[];
}

export interface HomeSection {
  readonly id: "to_decide" | "active" | "pending" | "recent";
  readonly title: string;
  /** At most 10. */
  readonly entries: readonly HomeEntry[];
  /** There are more than are shown. */
  readonly isCut: boolean;
  /** What to say when there are none. */
  readonly empty: string;
}

export interface HomeEntry {
  /** One line: which access, whose, how long still. */
  readonly line: Line;
  readonly card: Card;
}
