# One process, one volume. Build: docker build -t jit-access .
# Run: see docs/running.md#in-a-container
FROM node:24-bookworm-slim AS build
WORKDIR /app
# Built by the user who will run it: what V8 compiled is kept for each user.
RUN chown node:node /app
USER node
COPY --chown=node:node package.json package-lock.json .npmrc ./
RUN npm ci
COPY --chown=node:node jit.example.yaml ./
COPY --chown=node:node migrations ./migrations
COPY --chown=node:node src ./src
COPY --chown=node:node deploy/build.ts ./deploy/
# By the image's Node, where "npm run build" would take the pinned one of optionalDependencies, which is left out then.
# Node keeps what V8 compiled for its owner alone, and in the image everything belongs to root.
RUN node deploy/build.ts && npm prune --omit=dev --omit=optional && chmod -R a+rX node_modules/.cache

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE jit.example.yaml jit.schema.json ./
COPY migrations ./migrations
COPY manifests ./manifests
COPY src ./src
# The service wants its data folder for itself: a new volume takes over owner and mode from here.
RUN install -d -o node -g node -m 0700 /data
# Reachable from other containers, hence a configuration of your own: the example only runs on loopback.
ENV HOST=0.0.0.0 PORT=3000 DATABASE_URL=file:/data/jit.db JIT_CONFIG=/config/jit.yaml
# 1000 is node, as a number so that a cluster can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself, no shell and no npm in between: SIGTERM and SIGHUP reach the service.
CMD ["node", "--import", "./src/app/process/require-node.mjs", "dist/code/server/main.mjs"]
