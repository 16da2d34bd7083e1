import { createAbandonObject } from "./targets/abandon-object.ts";
import { createAccessService } from "./requests/access-service.ts";
import { createIdempotencyService, type IdempotencyService } from "./requests/idempotency-service.ts";
import {
  createApproverReviewService,
  type ApproverReviewService,
} from "./requests/approver-review-service.ts";
import { createSubmitAndClaimService, type FirstAttempt } from "./requests/submit-and-claim-service.ts";
import { createCardService } from "./requests/card-service.ts";
import { createAccountLinks } from "./people/account-link-service.ts";
import type { AccountLinks } from "./messaging/account-links.ts";
import type { CardService } from "./requests/card-source.ts";
import { createCatalogSearchService, type CatalogSearchService } from "./requests/catalog-search-service.ts";
import { createAuditService, type AuditService } from "./reports/audit-service.ts";
import { createTokenCheckService, type TokenCheckService } from "./credentials/token-check-service.ts";
import { createConfirmAddress } from "./targets/connector-addresses.ts";
import { createConnectorSet } from "./ports/connector-registry.ts";
import { createConnectorService, type ConnectorService } from "./targets/connector-service.ts";
import { createCredentialService } from "./credentials/claim/credential-service.ts";
import { createDirectoryService, type DirectoryService } from "./people/directory-service.ts";
import {
  createBreakGlassTermsService,
  type BreakGlassTermsService,
} from "./requests/break-glass-terms-service.ts";
import { createEvaluationService, type EvaluationService } from "./requests/evaluation-service.ts";
import { createRequestCommands, type RequestCommands } from "./request-commands.ts";
import { createGrantService, type GrantService } from "./grants/grant-service.ts";
import { createActiveAccessService, type ActiveAccessService } from "./reports/active-access-service.ts";
import { createApiKeyService, type ApiKeyService } from "./people/api-key-service.ts";
import type { ServiceContext } from "./decisions/load-facts.ts";
import { createTokenRedactor } from "./guards/redact-tokens.ts";
import { createLockdownService, type LockdownService } from "./policies/lockdown-service.ts";
import { createMassRevocation, type MassRevocationService } from "./grants/mass-revocation-service.ts";
import { createOrphanService, type OrphanService } from "./targets/orphan-service.ts";
import { createPolicyService, type PolicyService } from "./policies/policy-service.ts";
import { createRequestQueries, type RequestQueries } from "./requests/request-queries.ts";
import { createRefusalLog, type RefusalLog } from "./reports/refusal-log.ts";
import type { Slices } from "./async/time-slices.ts";
import { createTargetService, type TargetService } from "./targets/target-service.ts";
import { createCredentialUseLog, type CredentialUseLog } from "./credentials/credential-use-log.ts";

/** All use cases, wired once. */
export interface Services {
  /** Every command about a request. */
  readonly requestCommands: RequestCommands;
  readonly grants: GrantService;
  readonly tokenChecks: TokenCheckService;
  readonly requestQueries: RequestQueries;
  readonly cards: CardService;
  readonly directory: DirectoryService;
  readonly apiKeys: ApiKeyService;
  readonly policies: PolicyService;
  readonly evaluation: EvaluationService;
  /** Which person a chat account belongs to. */
  readonly accountLinks: AccountLinks;
  readonly catalogSearch: CatalogSearchService;
  readonly breakGlassTerms: BreakGlassTermsService;
  readonly activeAccess: ActiveAccessService;
  readonly massRevocation: MassRevocationService;
  readonly lockdown: LockdownService;
  readonly audit: AuditService;
  readonly idempotency: IdempotencyService;
  readonly connectors: ConnectorService;
  readonly targets: TargetService;
  readonly orphans: OrphanService;
  readonly approverReviews: ApproverReviewService;
  readonly refusals: RefusalLog;
  readonly credentialUses: CredentialUseLog;
  /** For answers that take long to write. */
  readonly slices: Slices;
}

export function createServices(
  context: ServiceContext,
  firstAttempt: FirstAttempt,
  onFault: (fault: unknown) => void,
): Services {
  const credentialUses = createCredentialUseLog(context.store);
  const apiKeys = createApiKeyService(context);
  const access = createAccessService(context);
  const grants = createGrantService(context);
  const targets = createTargetService(context);
  const credentials = createCredentialService(context, targets, (id) => grants.settle(id), onFault);
  const tokenChecks = createTokenCheckService(context, credentialUses, apiKeys.end, onFault);
  const redactTokens = createTokenRedactor(tokenChecks.report);
  const addresses = context.addresses ?? createConnectorSet();
  const requestQueries = createRequestQueries(context);
  const evaluation = createEvaluationService(context);
  const refusals = createRefusalLog(context.store);
  // Emergency access is granted even when nobody could be alerted: the relay retries, and the fault is reported.
  const safeFirstAttempt: FirstAttempt = (id, withinMs) => firstAttempt(id, withinMs).catch(onFault);
  const submitAndClaim = createSubmitAndClaimService(context, access, grants, credentials, safeFirstAttempt);
  return {
    requestCommands: createRequestCommands(
      context,
      { access, submitAndClaim, grants, credentials, refusals, report: tokenChecks.report },
      onFault,
    ),
    grants,
    tokenChecks,
    requestQueries,
    cards: createCardService(context),
    directory: createDirectoryService(context),
    apiKeys,
    policies: createPolicyService(context),
    evaluation,
    accountLinks: createAccountLinks(context),
    catalogSearch: createCatalogSearchService(context),
    breakGlassTerms: createBreakGlassTermsService(context),
    activeAccess: createActiveAccessService(context, requestQueries, evaluation),
    massRevocation: createMassRevocation(context, redactTokens),
    lockdown: createLockdownService(context, redactTokens),
    audit: createAuditService(context, refusals, onFault),
    idempotency: createIdempotencyService(context),
    connectors: createConnectorService(
      { ...context, troubles: addresses.troubles },
      {
        abandon: createAbandonObject(context, grants, redactTokens),
        confirm: createConfirmAddress(context, addresses, redactTokens),
      },
      onFault,
    ),
    targets,
    orphans: createOrphanService(context, targets, onFault),
    approverReviews: createApproverReviewService(context),
    refusals,
    credentialUses,
    slices: context.slices,
  };
}
