# `npm run serve` as an image: the whole service, or parts of it (SERVE), for ECS, Fly or Kubernetes. No packages and no
# shell are needed. Configure it by the variables of .env.example; see docs/operations.md, "Without Lambda".

FROM node:24-slim AS build
WORKDIR /rollcall
COPY package.json package-lock.json .npmrc ./
# No install scripts: those fetch servers for the tests.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY functions functions
COPY shared shared
COPY scripts scripts
COPY console console
COPY pages pages
COPY serverless.yml ./
RUN npm run build

# Not Alpine, whose C library takes the memory of each password hash from the system and returns it:
# see docs/decisions.md.
FROM node:24-slim
WORKDIR /rollcall
COPY --from=build /rollcall/dist/serve/*.cjs /rollcall/dist/serve/*.gz ./
# The flag as in package.json: see docs/operations.md, "Without Lambda". The last two are for the memory
# of password hashes, and the program need not start twice to set them.
ENV NODE_ENV=production PORT=8080 NODE_OPTIONS=--max-semi-space-size=2 \
  MALLOC_ARENA_MAX=1 GLIBC_TUNABLES=glibc.malloc.hugetlb=1
EXPOSE 8080
USER node
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Directly, so that SIGTERM reaches it: the batch in hand is finished then, within 25 s.
CMD ["node", "index.cjs"]
