package io.cameleer.agent.send;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** Plain requests to the server, each with a deadline. Knows nothing of tokens' lives. */
final class ServerConnection {

    /**
     * @param retryAfterMillis from the Retry-After header, or -1
     */
    record Answer(int status, byte[] body, long retryAfterMillis) {
    }

    private static final int GZIP_FROM = 512;
    private static final int ANSWER_LIMIT = 16 << 20;

    private final URI server;
    private final boolean compress;
    private final HttpClient client;
    private final Duration limit;

    ServerConnection(URI server, boolean compress, long limitMillis) {
        this.server = server;
        this.compress = compress;
        this.limit = Duration.ofMillis(limitMillis);
        AtomicInteger number = new AtomicInteger();
        this.client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofMillis(Math.min(limitMillis, 5_000)))
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(Executors.newFixedThreadPool(2, task -> {
                Thread thread = new Thread(task, "cameleer-http-" + number.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            }))
            .build();
    }

    /** @param idempotencyKey may be null */
    Answer post(String path, String bearer, byte[] body, String idempotencyKey) throws Unavailable, InterruptedException {
        return post(path, bearer, body, body.length, idempotencyKey, limit);
    }

    /** @param length how many of the body's bytes are meant; they do not change until this returns */
    Answer post(String path, String bearer, byte[] body, int length, String idempotencyKey) throws Unavailable, InterruptedException {
        return post(path, bearer, body, length, idempotencyKey, limit);
    }

    Answer post(String path, String bearer, byte[] body, int length, String idempotencyKey, Duration limit) throws Unavailable, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path))
            .timeout(limit)
            .header("Authorization", "Bearer " + bearer)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .header("X-Protocol-Version", "1");
        if (idempotencyKey != null) {
            request.header("Idempotency-Key", idempotencyKey);
        }
        HttpRequest.BodyPublisher sent = HttpRequest.BodyPublishers.ofByteArray(body, 0, length);
        if (compress && length >= GZIP_FROM) {
            request.header("Content-Encoding", "gzip");
            sent = HttpRequest.BodyPublishers.ofByteArray(gzip(body, length));
        }
        return answer(request.POST(sent).build(), limit);
    }

    Answer get(String path, String bearer) throws Unavailable, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + path))
            .timeout(limit)
            .header("Authorization", "Bearer " + bearer)
            .header("Accept", "application/json")
            .header("X-Protocol-Version", "1")
            .build();
        return answer(request, limit);
    }

    /** The deadline is for the whole answer: the client's own ends with the head, and a body may drip. */
    private Answer answer(HttpRequest request, Duration limit) throws Unavailable, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> coming = client.sendAsync(request, BoundedBody.upTo(ANSWER_LIMIT));
        try {
            HttpResponse<byte[]> response = coming.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer(response.statusCode(), response.body(), retryAfter(response));
        } catch (ExecutionException e) {
            throw unavailable(e.getCause());
        } catch (TimeoutException e) {
            throw unavailable(e);
        } finally {
            coming.cancel(true);
        }
    }

    /** Opens a stream of events; the deadline is for its head only, and the caller closes it. */
    HttpResponse<InputStream> stream(String path, String bearer, String lastEventId) throws Unavailable, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path))
            .timeout(limit)
            .header("Authorization", "Bearer " + bearer)
            .header("Accept", "text/event-stream")
            .header("Cache-Control", "no-store")
            .header("X-Protocol-Version", "1");
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw unavailable(e);
        }
    }

    private static Unavailable unavailable(Throwable e) {
        return new Unavailable(e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage()), -1);
    }

    static long retryAfter(HttpResponse<?> response) {
        try {
            return response.headers().firstValue("Retry-After").map(Long::parseLong).map(s -> Math.min(s, 3_600) * 1_000).orElse(-1L);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static byte[] gzip(byte[] body, int length) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(length / 8 + 64);
        try (GZIPOutputStream gzip = new Quick(out)) {
            gzip.write(body, 0, length);
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return out.toByteArray();
    }

    /** For little processor time rather than few bytes: the time is the application's. */
    private static final class Quick extends GZIPOutputStream {

        Quick(ByteArrayOutputStream out) throws IOException {
            super(out, 8_192);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
