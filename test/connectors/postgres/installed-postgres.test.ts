import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testConnectorContract } from "../connector-contract.ts";
import { postgresKind } from "../support/postgres-harness.ts";
import { installedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testConnectorContract(postgresKind(installedPostgres()));
