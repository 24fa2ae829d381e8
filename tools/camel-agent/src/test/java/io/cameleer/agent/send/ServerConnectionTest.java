package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ServerConnectionTest {

    private final CountDownLatch end = new CountDownLatch(1);
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private HttpServer server;

    private interface Answering {
        void answer(HttpExchange http) throws Exception;
    }

    private ServerConnection connection(long limitMillis, Answering answering) throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(workers);
        server.createContext("/", http -> {
            try (http) {
                answering.answer(http);
            } catch (Exception e) {
                // the client went away
            }
        });
        server.start();
        return new ServerConnection(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), true, limitMillis);
    }

    @AfterEach
    void stop() {
        end.countDown();
        server.stop(0);
        workers.shutdownNow();
    }

    @Test
    void an_answer_without_end_does_not_fill_the_heap() throws Exception {
        long[] sent = {0};
        ServerConnection connection = connection(20_000, http -> {
            http.sendResponseHeaders(200, 0);
            byte[] block = new byte[1 << 20];
            while (sent[0] < 1L << 30) {
                http.getResponseBody().write(block);
                sent[0] += block.length;
            }
        });
        Unavailable e = assertThrows(Unavailable.class, () -> connection.get("/x", "t"));
        assertTrue(e.getMessage().contains("larger than"), e.getMessage());
    }

    @Test
    void an_answer_that_drips_ends_with_the_deadline() throws Exception {
        ServerConnection connection = connection(300, http -> {
            http.sendResponseHeaders(200, 0);
            http.getResponseBody().write('{');
            http.getResponseBody().flush();
            end.await();
        });
        assertThrows(Unavailable.class, () -> connection.get("/x", "t"));
        assertThrows(Unavailable.class, () -> connection.post("/x", "t", new byte[0], null));
    }

    @Test
    void an_ordinary_answer_is_whole() throws Exception {
        byte[] body = "x".repeat(200_000).getBytes();
        ServerConnection connection = connection(5_000, http -> {
            http.sendResponseHeaders(503, body.length);
            http.getResponseBody().write(body);
        });
        ServerConnection.Answer answer = connection.get("/x", "t");
        assertEquals(503, answer.status());
        assertEquals(200_000, answer.body().length);
    }
}
