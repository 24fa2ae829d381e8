package io.cameleer.agent.camel.logs;

import java.beans.PropertyChangeListener;
import java.util.List;
import java.util.Map;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Marker;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.apache.logging.log4j.core.filter.AbstractFilter;
import org.apache.logging.log4j.core.filter.CompositeFilter;
import org.apache.logging.log4j.core.impl.LogEventFactory;
import org.apache.logging.log4j.message.Message;

import io.cameleer.agent.logs.LogIds;
import io.cameleer.agent.logs.LogIntake;
import io.cameleer.agent.logs.LogSource;

/**
 * Log4j 2: an appender of the configuration's root and of each logger that does not pass on what it hears, and something that is told
 * of each line before it is made, so that the ids are in the context by then. That is the factory of the logger's events, which is asked
 * for nothing but lines; asynchronous loggers have none, so there it is a filter of the configuration, before its own, which is asked at
 * each call of a logger, also of one whose level is off.
 */
public final class Log4jSource implements LogSource {

    private static final String NAME = "cameleer";

    private final LoggerContext context;
    private final LogIntake intake;
    private final Appender appender = new Tap();
    // each change of the configuration makes a new one, without what was added to the one before
    private final PropertyChangeListener listener = change -> {
        if (LoggerContext.PROPERTY_CONFIG.equals(change.getPropertyName())) {
            attach();
        }
    };
    private final LogIds ids;
    private final boolean asynchronous;
    private Before before;
    private boolean listening;

    public Log4jSource(LoggerContext context, LogIntake intake, LogIds ids) {
        this.context = context;
        this.intake = intake;
        this.ids = ids;
        this.asynchronous = context.getClass().getName().startsWith("org.apache.logging.log4j.core.async.");
    }

    @Override
    public boolean attach() {
        if (!listening) {
            listening = true;
            context.addPropertyChangeListener(listener);
        }
        if (!appender.isStarted()) {
            appender.start();
        }
        Configuration configuration = context.getConfiguration();
        if (asynchronous) {
            putBefore(configuration);
        }
        boolean added = false;
        for (LoggerConfig logger : configuration.getLoggers().values()) {
            tellOf(logger);
            boolean wanted = logger.getName().equals(LogManager.ROOT_LOGGER_NAME) || !logger.isAdditive();
            if (wanted && logger.getAppenders().get(NAME) != appender) {
                logger.addAppender(appender, null, null);
                added = true;
            }
        }
        if (added) {
            context.updateLoggers();
        }
        return true;
    }

    private void tellOf(LoggerConfig logger) {
        LogEventFactory present = logger.getLogEventFactory();
        if (!asynchronous && !(present instanceof Told)) {
            logger.setLogEventFactory(new Told(ids, present));
        }
    }

    /** A configuration that ends takes its filters with it, so each has one of its own. */
    private synchronized void putBefore(Configuration configuration) {
        if (before != null && before.configuration == configuration && before.isFirst()) {
            return;
        }
        if (before != null) {
            configuration.removeFilter(before);
        }
        before = new Before(configuration);
        before.start();
        Filter own = configuration.getFilter();
        if (own == null) {
            configuration.addFilter(before);
        } else {
            // the first one that decides ends the asking
            configuration.removeFilter(own);
            configuration.addFilter(before);
            configuration.addFilter(own);
        }
    }

    @Override
    public void detach() {
        context.removePropertyChangeListener(listener);
        listening = false;
        if (before != null) {
            context.getConfiguration().removeFilter(before);
            before = null;
        }
        for (LoggerConfig logger : context.getConfiguration().getLoggers().values()) {
            logger.removeAppender(NAME);
            if (logger.getLogEventFactory() instanceof Told told && told.ids == ids) {
                logger.setLogEventFactory(told.own);
            }
        }
        context.updateLoggers();
    }

    @Override
    public String level(String logger) {
        LoggerConfig config = context.getConfiguration().getLoggers().get(named(logger));
        Level level = config == null ? null : config.getExplicitLevel();
        return level == null ? null : name(level);
    }

    @Override
    public void level(String logger, String level) {
        Configuration configuration = context.getConfiguration();
        String name = named(logger);
        LoggerConfig config = configuration.getLoggers().get(name);
        if (config == null && level != null) {
            LoggerConfig added = new LoggerConfig(name, Level.valueOf(level), true);
            tellOf(added);
            configuration.addLogger(name, added);
        } else if (config != null) {
            config.setLevel(level == null ? null : Level.valueOf(level));
        }
        context.updateLoggers();
    }

    private static String named(String logger) {
        return "root".equalsIgnoreCase(logger) ? LogManager.ROOT_LOGGER_NAME : logger;
    }

    private static String name(Level level) {
        return switch (level.getStandardLevel()) {
            case FATAL, ERROR -> "ERROR";
            case ALL -> "TRACE";
            default -> level.getStandardLevel().name();
        };
    }

    private static final class Told implements LogEventFactory {

        private final LogIds ids;
        private final LogEventFactory own;

        Told(LogIds ids, LogEventFactory own) {
            this.ids = ids;
            this.own = own;
        }

        @Override
        public LogEvent createEvent(String logger, Marker marker, String caller, Level level, Message message, List<Property> properties,
                                    Throwable thrown) {
            ids.write();
            return own.createEvent(logger, marker, caller, level, message, properties, thrown);
        }

        @Override
        public LogEvent createEvent(String logger, Marker marker, String caller, StackTraceElement place, Level level, Message message,
                                    List<Property> properties, Throwable thrown) {
            ids.write();
            return own.createEvent(logger, marker, caller, place, level, message, properties, thrown);
        }
    }

    private final class Before extends AbstractFilter {

        private final Configuration configuration;

        Before(Configuration configuration) {
            this.configuration = configuration;
        }

        boolean isFirst() {
            Filter present = configuration.getFilter();
            return present == this || present instanceof CompositeFilter all && all.size() > 0 && all.getFiltersArray()[0] == this;
        }

        private Result told(Logger logger, Level level) {
            // another filter may let through what the level does not
            if (logger.getLevel().intLevel() >= level.intLevel() || configuration.getFilter() != this) {
                ids.write();
            }
            return Result.NEUTRAL;
        }

        @Override
        public Result filter(Logger logger, Level level, Marker marker, Message message, Throwable thrown) {
            return told(logger, level);
        }

        @Override
        public Result filter(Logger logger, Level level, Marker marker, Object message, Throwable thrown) {
            return told(logger, level);
        }

        @Override
        public Result filter(Logger logger, Level level, Marker marker, String message, Object... parameters) {
            return told(logger, level);
        }
    }

    private final class Tap extends AbstractAppender {

        Tap() {
            super(NAME, null, null, true, Property.EMPTY_ARRAY);
        }

        @Override
        public void append(LogEvent event) {
            // the event may be used again for the next line, so everything is read at once
            Map<String, String> mdc = event.getContextData().toMap();
            intake.take(new LogIntake.Head(event.getTimeMillis(), name(event.getLevel()), event.getLoggerName(), event.getThreadName()),
                () -> event.getMessage().getFormattedMessage(), event.getThrown(), mdc);
        }
    }
}
