# docker build -t flamingo .
# docker run --rm -p 127.0.0.1:8000:8000 flamingo
#
# Wheels of torch without CUDA are a tenth of the size:
# docker build -t flamingo --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu .
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 10001 flamingo \
    && install --directory --owner=flamingo --group=flamingo /data

WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN pip install -c constraints.txt ".[serve]" && rm -rf src build

# Support sets, if --support-sets /data is given, and what is fetched by name from a hub.
ENV HF_HOME=/data/hub
VOLUME /data
WORKDIR /data
USER flamingo
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]

# No shell in between: SIGTERM of `docker stop` reaches the server, which then has 30 s to finish
# what it accepted (docker stop --time 40).
ENTRYPOINT ["flamingo", "serve", "--host", "0.0.0.0"]
CMD ["--model", "miniature"]
