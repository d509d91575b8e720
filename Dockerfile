# One image for the pages and the worker; the training libraries are not in it.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 mapsi \
    && mkdir /data && chown mapsi /data
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY locks/image.txt locks/image.txt
COPY src src
RUN pip install --no-cache-dir --no-deps --require-hashes -r locks/image.txt \
    && pip install --no-cache-dir --no-deps --no-build-isolation .

USER 1000
# Pictures, index and signing key; share it between the machines that serve and those that work.
VOLUME /data
ENV MAPSI_HOME=/data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["mapsi"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
