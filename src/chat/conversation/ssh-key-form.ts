import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { CommandResult } from "../../service/request-commands.ts";
import { credentialReply } from "./reply-builders.ts";
import { errorAt } from "./submit-request.ts";
import { dialogRef, type Dialog, type DialogRef, type DialogValues } from "./dialog.ts";
import type { ChatContext } from "./chat-context.ts";
import { textOf } from "./form-values.ts";
import type { Reply } from "./reply.ts";
import { textField } from "./request-form.ts";

/** The two actions that show a secret. */
export type SecretAction = "show_credential" | "replace_credential";

export const sshKeyField = "ssh_public_key";
/** The longest RSA key in use has about 1,400 characters. */
const keyLengthMax = 3_000;

/** Shows the credential, or first asks for the public key that an SSH target needs. */
export async function showCredential(
  context: ChatContext,
  caller: Caller,
  action: SecretAction,
  id: string,
): Promise<Reply> {
  const outcome = await issueCredential(context, caller, action, id);
  return isRefusal(outcome) && isAboutKey(outcome)
    ? { kind: "dialog", dialog: sshKeyForm(action, id) }
    : credentialReply(context, caller, id, outcome);
}

/** Submits the form with the public key. */
export async function submitSshKey(
  context: ChatContext,
  caller: Caller,
  { id: action, requestId }: { readonly id: SecretAction; readonly requestId: string },
  values: DialogValues,
): Promise<Reply> {
  const sshPublicKey = textOf(values, sshKeyField);
  if (sshPublicKey === "") {
    return { kind: "errors", errors: [{ field: sshKeyField, message: "Paste your public key." }] };
  }
  const outcome = await issueCredential(context, caller, action, requestId, sshPublicKey);
  return isRefusal(outcome) && isAboutKey(outcome)
    ? { kind: "errors", errors: [errorAt(context, outcome, sshKeyField)] }
    : credentialReply(context, caller, requestId, outcome);
}

export function isSecretRef(ref: DialogRef): ref is DialogRef & { readonly id: SecretAction } {
  return ref.id === "show_credential" || ref.id === "replace_credential";
}

function issueCredential(
  { services: { requestCommands } }: ChatContext,
  caller: Caller,
  action: SecretAction,
  id: string,
  sshPublicKey?: string,
): Promise<CommandResult | Refusal> {
  const key = sshPublicKey !== undefined && { sshPublicKey };
  return action === "show_credential"
    ? requestCommands.claim(caller, id, { ...key })
    : requestCommands.rotate(caller, id, { ...key, isKeyRequired: true });
}

function isAboutKey({ errors = [] }: Refusal): boolean {
  return errors.some(({ path }) => path === "sshPublicKey");
}

export function sshKeyForm(action: SecretAction, requestId: string): Dialog {
  return {
    ref: dialogRef(action, { requestId }),
    title: "SSH public key",
    intro: [
      ["Part of this access is reached by SSH. The certificate for it is made for your own key."],
      ["Paste the public half: the content of ~/.ssh/id_ed25519.pub. Never paste a private key."],
    ],
    fields: [
      textField(sshKeyField, "Public key", {
        placeholder: "ssh-ed25519 AAAA…",
        isMultiline: true,
        lengthMax: keyLengthMax,
      }),
    ],
    submitLabel: "Show credential",
    hasPreview: false,
  };
}
