import { accountIn, linkName, type ChatAccount, type Identity } from "../../core/values/identity.ts";
import { linkSubject } from "../views/delivery-status.ts";
import type { NewEffect, Reads } from "../ports/store.ts";
import type { Runtime } from "../ports/runtime.ts";
import { newEffect } from "../decisions/build-step.ts";

/** The accounts that this person did not have before. */
export function newLinks(before: Identity | undefined, after: Identity): readonly ChatAccount[] {
  const had = new Set(accountsOf(before).map(linkName));
  return accountsOf(after).filter((account) => !had.has(linkName(account)));
}

function accountsOf(identity: Identity | undefined): readonly ChatAccount[] {
  if (identity === undefined || !identity.listed) return [];
  return (["slack", "teams"] as const).flatMap((surface) => accountIn(identity.links, surface) ?? []);
}

/** Updates every message that asks an administrator to link one of these accounts. */
export function linksMade(
  accounts: readonly ChatAccount[],
  context: { readonly runtime: Runtime },
): readonly NewEffect[] {
  if (accounts.length === 0) return [];
  const { runtime } = context;
  return [newEffect({ kind: "links_made", accounts }, { now: runtime.now(), runtime })];
}

/** The same for the accounts of a configuration file, most of which never asked for a link. */
export async function linksMadeIfAsked(
  accounts: readonly ChatAccount[],
  { store, runtime }: { readonly store: Reads; readonly runtime: Runtime },
): Promise<readonly NewEffect[]> {
  const bySubject = new Map(accounts.map((account) => [linkSubject(account), account]));
  const asked = new Set(
    (await store.deliveries([...bySubject.keys()])).map((delivery) => delivery.requestId),
  );
  return linksMade(
    [...bySubject].flatMap(([subject, account]) => (asked.has(subject) ? [account] : [])),
    { runtime },
  );
}
