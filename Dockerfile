# The route server as an image: docker build -t REGISTRY/keyway:VERSION . && docker push REGISTRY/keyway:VERSION
# The base must have Node 22.19 or newer as `node`; npm run build makes what is copied.
ARG BASE=node:24-slim
FROM ${BASE}
COPY package.json LICENSE /opt/keyway/
COPY build /opt/keyway/build
USER 65532:65532
ENTRYPOINT ["node", "/opt/keyway/build/keyway.mjs"]
CMD ["serve"]
