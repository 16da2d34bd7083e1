import { createAbandonObject } from "./targets/abandon-object.ts";
import { createAccessService } from "./requests/access-service.ts";
import { createAnswersService, type AnswersService } from "./requests/idempotency-service.ts";
import {
  createApproverReviewService,
  type ApproverReviewService,
} from "./requests/approver-review-service.ts";
import { createAskingService, type FirstAttempt } from "./requests/submit-and-claim-service.ts";
import { createCardService } from "./requests/card-service.ts";
import { createChatPeople } from "./people/account-link-service.ts";
import type { ChatPeople } from "./messaging/account-links.ts";
import type { CardService } from "./messaging/card-source.ts";
import { createChoosingService, type ChoosingService } from "./requests/catalog-search-service.ts";
import { createAuditService, type AuditService } from "./reports/audit-service.ts";
import { createCheckingService, type CheckingService } from "./credentials/token-check-service.ts";
import { createConfirmAddress } from "./targets/connector-addresses.ts";
import { createConnectorSet } from "./ports/connector-registry.ts";
import { createConnectorService, type ConnectorService } from "./targets/connector-service.ts";
import { createCredentialService } from "./credentials/claim/credential-service.ts";
import { createDirectoryService, type DirectoryService } from "./people/directory-service.ts";
import { createEmergencyService, type EmergencyService } from "./requests/break-glass-terms-service.ts";
import { createEvaluationService, type EvaluationService } from "./requests/evaluation-service.ts";
import { createFrontDesk, type FrontDesk } from "./request-commands.ts";
import { createGrantService, type GrantService } from "./grants/grant-service.ts";
import { createHoldingsService, type HoldingsService } from "./reports/active-access-service.ts";
import { createKeyService, type KeyService } from "./people/api-key-service.ts";
import type { ServiceContext } from "./decisions/load-facts.ts";
import { cleaning } from "./guards/redact-tokens.ts";
import { createLockdownService, type LockdownService } from "./policies/lockdown-service.ts";
import { createMassRevocation, type MassRevocationService } from "./grants/mass-revocation-service.ts";
import { createOrphanService, type OrphanService } from "./targets/orphan-service.ts";
import { createPolicyService, type PolicyService } from "./policies/policy-service.ts";
import { createReadingService, type ReadingService } from "./requests/request-queries.ts";
import { createRefusalLog, type RefusalLog } from "./reports/refusal-log.ts";
import type { Slices } from "./async/time-slices.ts";
import { createTargetService, type TargetService } from "./targets/target-service.ts";
import { createUsageLog, type UsageLog } from "./credentials/credential-use-log.ts";

/** Every way in, wired once. */
export interface Services {
  /** Every verb about a request. */
  readonly desk: FrontDesk;
  readonly grants: GrantService;
  readonly checking: CheckingService;
  readonly reading: ReadingService;
  readonly cards: CardService;
  readonly directory: DirectoryService;
  readonly keys: KeyService;
  readonly policies: PolicyService;
  readonly evaluation: EvaluationService;
  /** Who is who at chat platforms. */
  readonly people: ChatPeople;
  readonly choosing: ChoosingService;
  readonly emergency: EmergencyService;
  readonly holdings: HoldingsService;
  readonly massRevocation: MassRevocationService;
  readonly lockdown: LockdownService;
  readonly audit: AuditService;
  readonly answers: AnswersService;
  readonly connectors: ConnectorService;
  readonly targets: TargetService;
  readonly orphans: OrphanService;
  readonly approverReviews: ApproverReviewService;
  readonly refusals: RefusalLog;
  readonly usage: UsageLog;
  /** For answers that take long to write. */
  readonly slices: Slices;
}

export function createServices(
  context: ServiceContext,
  firstAttempt: FirstAttempt,
  onFault: (fault: unknown) => void,
): Services {
  const usage = createUsageLog(context.store);
  const keys = createKeyService(context);
  const access = createAccessService(context);
  const grants = createGrantService(context);
  const targets = createTargetService(context);
  const credentials = createCredentialService(context, targets, (id) => grants.settle(id), onFault);
  const checking = createCheckingService(context, usage, keys.end, onFault);
  const clean = cleaning(checking.report);
  const addresses = context.addresses ?? createConnectorSet();
  const reading = createReadingService(context);
  const evaluation = createEvaluationService(context);
  const refusals = createRefusalLog(context.store);
  // Emergency access is given even when nobody could be told: the relay tries again, and this is heard of.
  const told: FirstAttempt = (id, withinMs) => firstAttempt(id, withinMs).catch(onFault);
  const asking = createAskingService(context, access, grants, credentials, told);
  return {
    desk: createFrontDesk(
      context,
      { access, asking, grants, credentials, reading, refusals, report: checking.report },
      onFault,
    ),
    grants,
    checking,
    reading,
    cards: createCardService(context),
    directory: createDirectoryService(context),
    keys,
    policies: createPolicyService(context),
    evaluation,
    people: createChatPeople(context),
    choosing: createChoosingService(context),
    emergency: createEmergencyService(context),
    holdings: createHoldingsService(context, reading, evaluation),
    massRevocation: createMassRevocation(context, clean),
    lockdown: createLockdownService(context, clean),
    audit: createAuditService(context, refusals, onFault),
    answers: createAnswersService(context),
    connectors: createConnectorService(
      { ...context, troubles: addresses.troubles },
      {
        abandon: createAbandonObject(context, grants, clean),
        confirm: createConfirmAddress(context, addresses, clean),
      },
      onFault,
    ),
    targets,
    orphans: createOrphanService(context, targets, onFault),
    approverReviews: createApproverReviewService(context),
    refusals,
    usage,
    slices: context.slices,
  };
}
