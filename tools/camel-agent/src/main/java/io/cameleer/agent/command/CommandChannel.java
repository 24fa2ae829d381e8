package io.cameleer.agent.command;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.command.CommandVerifier.Refusal;
import io.cameleer.agent.command.CommandVerifier.Verdict;
import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.send.Backoff;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.send.Unavailable;
import io.cameleer.agent.settings.Permissions;

/**
 * The agent's ear: keeps the command stream open, hands on what is verified, counts what is refused, and asks for the configuration each
 * time the stream is open again. A thread reads; another closes a stream that has gone silent and sends acknowledgements. Both are
 * daemons and outlive any failure of the server.
 */
public final class CommandChannel {

    private static final long REPLAY_MILLIS = 24_000;
    private static final long REGISTER_AGAIN_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final ServerLink server;
    private final Configuration configuration;
    private final Counters counters;
    private final Timing timing;
    private final Runnable untilReady;
    private final CommandVerifier verifier = new CommandVerifier();
    private final CommandExecutor executor;
    private final ScheduledExecutorService upkeep;
    private final Thread reading;
    private volatile boolean ending;
    private volatile InputStream open;
    private String lastEventId;
    private long registeredAgainNanos = System.nanoTime() - REGISTER_AGAIN_NANOS;

    /**
     * @param untilReady returns when the agent may register
     * @param routesChanged told after each command that changed a route
     */
    public CommandChannel(ServerLink server, Supplier<List<CamelControl>> contexts, Configuration configuration, Permissions permissions,
                          Counters counters, Timing timing, Runnable untilReady, Runnable routesChanged) {
        this.server = server;
        this.configuration = configuration;
        this.counters = counters;
        this.timing = timing;
        this.untilReady = untilReady;
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1, task -> daemon("cameleer-command-upkeep", task));
        scheduler.setRemoveOnCancelPolicy(true);
        this.upkeep = scheduler;
        AckSender acks = new AckSender(server, counters, timing, upkeep);
        this.executor = new CommandExecutor(contexts, configuration, permissions, routesChanged, acks::add, REPLAY_MILLIS);
        this.reading = daemon("cameleer-commands", this::loop);
    }

    public void start() {
        reading.start();
    }

    public void end() {
        ending = true;
        reading.interrupt();
        close(open);
        executor.end();
        upkeep.shutdownNow();
    }

    private void loop() {
        Backoff backoff = new Backoff(timing.retryLeast(), timing.retryMost());
        boolean silent = false;
        untilReady.run();
        while (!ending) {
            long wait;
            long begun = System.nanoTime();
            try {
                boolean again = follow();
                silent = false;
                long lived = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
                if (lived > timing.retryMost()) {
                    // one that is taken away soon, as by another agent of the same id, is not asked for without longer and longer pauses
                    backoff.reset();
                }
                wait = again && lived > timing.retryLeast() ? 0 : backoff.nextMillis(-1);
            } catch (Unavailable e) {
                wait = backoff.nextMillis(e.retryAfterMillis());
                if (!silent && !ending) {
                    AgentLog.info("no commands for now: " + e.getMessage());
                    silent = true;
                }
            } catch (InterruptedException e) {
                return;
            } catch (Throwable e) {
                countUnlessEnding();
                wait = backoff.nextMillis(-1);
            }
            try {
                Thread.sleep(wait);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Reads one stream to its end. @return true when it should be opened again at once */
    private boolean follow() throws Unavailable, InterruptedException {
        ServerLink.OpenStream stream = server.openStream(lastEventId);
        open = stream.in();
        SseReader reader = new SseReader(stream.in(), CommandVerifier.EVENT_LIMIT);
        ScheduledFuture<?> watch = upkeep.scheduleWithFixedDelay(() -> closeWhenSilent(reader, stream.in()), timing.streamIdle() / 4,
            Math.max(1, timing.streamIdle() / 4), TimeUnit.MILLISECONDS);
        try {
            refreshConfig();
            for (SseReader.Event event = reader.next(); event != null && !ending; event = reader.next()) {
                if ("reauth".equals(event.name())) {
                    server.renew(stream.token());
                    return true;
                }
                if (!take(event)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // ended like any other stream
        } finally {
            watch.cancel(false);
            open = null;
            close(stream.in());
        }
        return false;
    }

    private void closeWhenSilent(SseReader reader, InputStream in) {
        if (System.nanoTime() - reader.lastByteNanos() > TimeUnit.MILLISECONDS.toNanos(timing.streamIdle())) {
            counters.add("stream_idle", 1);
            close(in);
        }
    }

    /** @return false when the stream should be opened again, because the server has another key now */
    private boolean take(SseReader.Event event) throws Unavailable, InterruptedException {
        ServerTrust trust = server.trust();
        Verdict verdict = verifier.verify(event, trust, server.serverNowMillis());
        if (verdict.refusal() != null) {
            counters.add("refused." + verdict.refusal().name().toLowerCase(Locale.ROOT), 1);
            if (verdict.refusal() == Refusal.KEY && System.nanoTime() - registeredAgainNanos >= REGISTER_AGAIN_NANOS) {
                registeredAgainNanos = System.nanoTime();
                server.registerAgain();
                // with the right key the same command is good when it comes again
                return server.trust().equals(trust);
            }
            return true;
        }
        lastEventId = verdict.command().commandId();
        executor.accept(verdict.command());
        return true;
    }

    private void refreshConfig() {
        try {
            executor.inOrder(() -> {
                try {
                    configuration.offer(server.readConfig());
                } catch (Unavailable e) {
                    // it comes with the next stream, or with the next change
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } catch (RuntimeException | LinkageError e) {
                    counters.add("agent_error", 1);
                }
            });
        } catch (RejectedExecutionException e) {
            countUnlessEnding();
        }
    }

    /** A stream that opens while the channel ends finds its helpers gone, which is nobody's error. */
    private void countUnlessEnding() {
        if (!ending) {
            counters.add("agent_error", 1);
        }
    }

    private static void close(InputStream in) {
        try {
            if (in != null) {
                in.close();
            }
        } catch (IOException e) {
            // it is over either way
        }
    }

    private static Thread daemon(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        return thread;
    }
}
