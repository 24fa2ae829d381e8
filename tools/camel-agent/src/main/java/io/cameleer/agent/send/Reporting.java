package io.cameleer.agent.send;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.Supplier;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.command.CommandChannel;
import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.settings.Permissions;

/**
 * The agent's two daemon threads: one sends executions, one the heartbeat. Both outlive any failure of the server; neither is ever
 * waited for by the application, except for a moment at the end of the JVM.
 */
public final class Reporting {

    /** Executions that are being recorded and have reached the age at which they are worth a word. Called by the sending thread. */
    public interface Unfinished {
        List<Execution> due();
    }

    /** How often what has ended is written down until it is sent. */
    private static final int ROUNDS = 20;

    private final Timing timing;
    private final CamelState camel;
    private final Unfinished unfinished;
    private final Counters counters;
    private final Session session;
    private final Supplier<SensitiveKeys> keys;
    private final ExecutionSender sender;
    private final CommandChannel commands;
    private final Thread sending;
    private final Thread beating;
    private final Object pause = new Object();
    private Telemetry telemetry;
    private volatile boolean ending;
    private volatile boolean beatWanted;

    public Reporting(AgentIdentity identity, Timing timing, CamelState camel, ExecutionQueue queue, Unfinished unfinished, Counters counters,
                     Configuration configuration, Permissions permissions) {
        this.timing = timing;
        this.camel = camel;
        this.unfinished = unfinished;
        this.counters = counters;
        this.session = new Session(identity, new ServerConnection(identity.server(), identity.compress(), timing.request()), camel, counters,
            configuration::offer, permissions);
        this.keys = () -> configuration.live().rules().sensitiveKeys();
        this.sender = new ExecutionSender(session, queue, counters, keys);
        this.commands = new CommandChannel(session, camel::controls, configuration, permissions, counters, timing,
            this::awaitCamel, this::beatSoon);
        this.sending = daemon("cameleer-sender", this::sendLoop);
        this.beating = daemon("cameleer-heartbeat", this::beatLoop);
    }

    /** Also gathers and sends what is no execution. To be called before the start. */
    public void also(Telemetry other) {
        telemetry = other;
    }

    public void start() {
        if (telemetry != null) {
            telemetry.start(session, timing, camel, keys);
        }
        sending.start();
        beating.start();
        commands.start();
    }

    /** Sends what is left and deregisters, within the time for a farewell. */
    public void end() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timing.farewell());
        ending = true;
        commands.end();
        synchronized (pause) {
            pause.notifyAll();
        }
        try {
            sending.join(Math.max(1, timing.farewell() * 3 / 4));
            sending.interrupt();
            if (telemetry != null) {
                telemetry.end(Math.max(timing.farewell() / 8, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()) / 2));
            }
            beating.interrupt();
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            session.deregister(Math.max(200, left));
        } catch (Unavailable e) {
            AgentLog.info("the server did not hear the end: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void sendLoop() {
        Backoff backoff = new Backoff(timing.retryLeast(), timing.retryMost());
        boolean silent = false;
        long flush = TimeUnit.MILLISECONDS.toNanos(timing.flush());
        long lookedNanos = System.nanoTime() - flush;
        awaitCamel();
        while (!ending || !sender.idle()) {
            try {
                if (sender.gathering() && !ending) {
                    // written down soon after they ended, executions do not grow old in the application's heap
                    sleep(Math.max(1, timing.flush() / ROUNDS));
                }
                if (System.nanoTime() - lookedNanos >= flush) {
                    lookedNanos = System.nanoTime();
                    sendRunning();
                }
                sender.gather(ending ? 0 : timing.flush());
                if (ending || sender.due(flush)) {
                    sender.send();
                    backoff.reset();
                    silent = false;
                }
            } catch (Unavailable e) {
                if (ending) {
                    return;
                }
                if (!silent) {
                    AgentLog.warn("the server cannot be used, trying again: " + e.getMessage());
                    silent = true;
                }
                sleep(backoff.nextMillis(e.retryAfterMillis()));
            } catch (InterruptedException e) {
                return;
            } catch (Throwable e) {
                counters.add("agent_error", 1);
                AgentLog.warn("unexpected while sending: " + e);
                sleep(backoff.nextMillis(-1));
            }
        }
    }

    private void sendRunning() throws Unavailable, InterruptedException {
        List<Execution> due = unfinished.due();
        if (!due.isEmpty()) {
            sender.sendRunning(due);
        }
    }

    private void beatLoop() {
        Backoff backoff = new Backoff(timing.retryLeast(), timing.retryMost());
        awaitCamel();
        while (!ending) {
            try {
                beatWanted = false;
                session.heartbeat();
                backoff.reset();
                awaitBeat(session.heartbeatMillis());
            } catch (Unavailable e) {
                sleep(backoff.nextMillis(e.retryAfterMillis()));
            } catch (InterruptedException e) {
                return;
            } catch (Throwable e) {
                counters.add("agent_error", 1);
                sleep(backoff.nextMillis(-1));
            }
        }
    }

    /** A registration names the routes, so it waits until they are known. */
    private void awaitCamel() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timing.firstContact());
        while (!ending && !camel.started() && System.nanoTime() < deadline) {
            sleep(50);
        }
    }

    /** The next heartbeat goes out now instead of in a while. Never waits. */
    public void beatSoon() {
        beatWanted = true;
        synchronized (pause) {
            pause.notifyAll();
        }
    }

    private void awaitBeat(long millis) throws InterruptedException {
        long lastBeat = System.nanoTime();
        long deadline = lastBeat + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (pause) {
            for (long left = millis; left > 0 && !ending && !beatWanted; left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
                pause.wait(left);
            }
        }
        // what changes together goes in one beat, and routes that change all the time do not make it beat all the time
        long since = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastBeat);
        sleep(Math.min(Math.max(50, 200 - since), millis));
    }

    private void sleep(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (pause) {
            try {
                for (long left = millis; left > 0 && !ending; left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
                    pause.wait(left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Thread daemon(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        return thread;
    }
}
