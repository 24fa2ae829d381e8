package io.cameleer.agent.camel.logs;

import java.util.Collection;
import java.util.List;
import java.util.Map;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggerContextListener;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.spi.FilterReply;

import org.slf4j.Marker;

import io.cameleer.agent.logs.LogIds;
import io.cameleer.agent.logs.LogIntake;
import io.cameleer.agent.logs.LogSource;

/**
 * Logback: an appender at the root and at each logger that does not pass on what it hears, and a filter before all others that is told
 * of each line before it is made, so that the ids are in the MDC by then.
 */
public final class LogbackSource implements LogSource {

    private static final String NAME = "cameleer";

    private final LoggerContext context;
    private final LogIntake intake;
    private final Appender<ILoggingEvent> appender = new Tap();
    private final LoggerContextListener listener = new OnReset();
    private final TurboFilter before = new Before();
    private final LogIds ids;
    private boolean listening;

    public LogbackSource(LoggerContext context, LogIntake intake, LogIds ids) {
        this.context = context;
        this.intake = intake;
        this.ids = ids;
        appender.setName(NAME);
    }

    @Override
    public boolean attach() {
        if (!listening) {
            listening = true;
            context.addListener(listener);
        }
        // a reset, such as Spring Boot's, stops what it throws away
        if (!appender.isStarted()) {
            appender.setContext(context);
            appender.start();
        }
        // the first one that decides ends the asking
        List<TurboFilter> filters = context.getTurboFilterList();
        if (filters.isEmpty() || filters.get(0) != before) {
            filters.remove(before);
            before.setContext(context);
            before.start();
            filters.add(0, before);
        }
        for (Logger logger : context.getLoggerList()) {
            if ((isRoot(logger) || !logger.isAdditive()) && !logger.isAttached(appender)) {
                logger.addAppender(appender);
            }
        }
        return true;
    }

    @Override
    public void detach() {
        context.removeListener(listener);
        listening = false;
        context.getTurboFilterList().remove(before);
        for (Logger logger : context.getLoggerList()) {
            logger.detachAppender(appender);
        }
        appender.stop();
    }

    @Override
    public String level(String logger) {
        Level level = named(logger).getLevel();
        return level == null ? null : level.toString();
    }

    @Override
    public void level(String logger, String level) {
        named(logger).setLevel(level == null ? null : Level.toLevel(level));
    }

    private Logger named(String logger) {
        return context.getLogger("root".equalsIgnoreCase(logger) ? Logger.ROOT_LOGGER_NAME : logger);
    }

    private static boolean isRoot(Logger logger) {
        return Logger.ROOT_LOGGER_NAME.equals(logger.getName());
    }

    private final class Before extends TurboFilter {

        @Override
        public FilterReply decide(Marker marker, Logger logger, Level level, String format, Object[] parameters, Throwable thrown) {
            // another filter may let through what the level does not
            if (level.isGreaterOrEqual(logger.getEffectiveLevel()) || LogbackSource.this.context.getTurboFilterList().size() > 1) {
                ids.write();
            }
            return FilterReply.NEUTRAL;
        }
    }

    private final class Tap extends AppenderBase<ILoggingEvent> {

        @Override
        protected void append(ILoggingEvent event) {
            // AppenderBase lets one thread in at a time
        }

        @Override
        public void doAppend(ILoggingEvent event) {
            Throwable thrown = event.getThrowableProxy() instanceof ThrowableProxy proxy ? proxy.getThrowable() : null;
            Map<String, String> mdc = event.getMDCPropertyMap();
            intake.take(new LogIntake.Head(event.getTimeStamp(), event.getLevel().toString(), event.getLoggerName(), event.getThreadName()),
                event::getFormattedMessage, thrown, mdc);
        }
    }

    /** Comes back as soon as the application's logging is set up anew. */
    private final class OnReset implements LoggerContextListener {

        @Override
        public boolean isResetResistant() {
            return true;
        }

        @Override
        public void onReset(LoggerContext reset) {
            attach();
        }

        @Override
        public void onStart(LoggerContext started) {
            attach();
        }

        @Override
        public void onStop(LoggerContext stopped) {
            // its appenders go with it
        }

        @Override
        public void onLevelChange(Logger logger, Level level) {
            // of no interest
        }
    }

    /** For tests: where the appender is. */
    Collection<String> attachedTo() {
        List<Logger> all = context.getLoggerList();
        return all.stream().filter(logger -> logger.isAttached(appender)).map(Logger::getName).toList();
    }
}
