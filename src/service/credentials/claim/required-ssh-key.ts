import { refuse, type Refusal } from "../../../core/values/refusals.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";

/** The connectors among `names` that issue nothing without an SSH public key. */
export function connectorsNeedingKey(
  { connectors }: Pick<ServiceContext, "connectors">,
  names: readonly string[],
): readonly string[] {
  return names.filter((name) => connectors().get(name)?.needsSshPublicKey === true);
}

/** Tells the claimant how to send the key. */
export function keyMissing(names: readonly string[], id: string): Refusal {
  const how = `claim it with your public key, as sshPublicKey or by: jit claim ${id} --ssh-key ~/.ssh/id_ed25519.pub`;
  const detail = `${names.join(", ")} ${names.length === 1 ? "is" : "are"} reached by SSH: ${how}`;
  return refuse("invalid_body", detail, { errors: [{ path: "sshPublicKey", message: "is missing" }] });
}
