# The workloads of the sample platform, for a machine with an engine and a registry in reach. BASE needs Python.
ARG BASE=python:3.13-alpine
FROM ${BASE}
ARG KEY
LABEL devloop.dev/key=${KEY}
COPY sample /app/sample
WORKDIR /app
# Loading every module once leaves its bytecode in the image.
RUN ["python3", "-S", "-c", "import sample.__main__, sample.serve, sample.work, sample.report, sample.observe, sample.monitor"]
USER 65532:65532
ENTRYPOINT ["python3", "-S", "-m", "sample"]
