package io.cameleer.agent.camel;

import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Expression;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.RouteController;
import org.apache.camel.support.DefaultExchange;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.command.CamelControl;
import io.cameleer.agent.mask.SensitiveKeys;

/** Carries commands out in one Camel context, as Camel itself would: by its route controller, its languages, a route's own processor. */
final class ContextControl implements CamelControl {

    /** Below the life of a command, so that the outcome can still be told. */
    private static final long STOP_SECONDS = 25;
    private static final int RESULT_LIMIT = 60_000;

    private final AgentRuntime runtime;
    private final CamelContext context;
    private final BooleanSupplier started;

    ContextControl(AgentRuntime runtime, CamelContext context, BooleanSupplier started) {
        this.runtime = runtime;
        this.context = context;
        this.started = started;
    }

    @Override
    public boolean started() {
        return started.getAsBoolean();
    }

    @Override
    public boolean hasRoute(String routeId) {
        return context.getRoute(routeId) != null;
    }

    @Override
    public String control(String routeId, String action) throws Exception {
        return asApplication(() -> {
            RouteController controller = context.getRouteController();
            switch (action) {
                case "start" -> controller.startRoute(routeId);
                case "stop" -> controller.stopRoute(routeId, STOP_SECONDS, TimeUnit.SECONDS);
                case "suspend" -> controller.suspendRoute(routeId, STOP_SECONDS, TimeUnit.SECONDS);
                case "resume" -> controller.resumeRoute(routeId);
                default -> throw new Refused("there is no action " + action);
            }
            return state(routeId);
        });
    }

    @Override
    public Evaluated evaluate(String language, String text, String body, Map<String, String> headers) throws Exception {
        return asApplication(() -> {
            Exchange exchange = new DefaultExchange(context);
            exchange.getMessage().setBody(body);
            headers.forEach(exchange.getMessage()::setHeader);
            Expression expression = context.resolveLanguage(language).createExpression(text);
            expression.init(context);
            Object result = expression.evaluate(exchange, Object.class);
            if (result == null) {
                return new Evaluated(null, "null");
            }
            String value = context.getTypeConverter().tryConvertTo(String.class, exchange, result);
            return new Evaluated(cut(runtime.withoutSecret(value == null ? String.valueOf(result) : value)), result.getClass().getName());
        });
    }

    @Override
    public Replaying replay(String routeId, String body, Map<String, String> headers, String originalExecutionId) throws Exception {
        Route route = context.getRoute(routeId);
        if (route == null || route.getProcessor() == null) {
            throw new Refused("there is no route " + routeId + " to replay");
        }
        String state = state(routeId);
        if (!"Started".equals(state)) {
            throw new Refused("the route " + routeId + " is " + state);
        }
        SensitiveKeys keys = runtime.config().rules().sensitiveKeys();
        Replay replay = new Replay(originalExecutionId);
        Exchange exchange = asApplication(() -> route.getEndpoint().createExchange());
        exchange.getExchangeExtension().setFromRouteId(routeId);
        exchange.setProperty(Replay.PROPERTY, replay);
        exchange.getMessage().setBody(body);
        headers.forEach((name, value) -> {
            // what was masked on the way out cannot be sent again
            if (!(SensitiveKeys.MASK.equals(value) && keys.matches(name))) {
                exchange.getMessage().setHeader(name, value);
            }
        });
        return new RouteReplay(runtime, replay, exchange, () -> asApplication(() -> {
            route.getProcessor().process(exchange);
            return null;
        }));
    }

    private String state(String routeId) {
        ServiceStatus status = context.getRouteController().getRouteStatus(routeId);
        return status == null ? "Stopped" : ContextInstrumentation.named(status);
    }

    /** With the class loader that the application's own threads have. */
    private <T> T asApplication(Callable<T> work) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        ClassLoader application = context.getApplicationContextClassLoader();
        thread.setContextClassLoader(application == null ? context.getClass().getClassLoader() : application);
        try {
            return work.call();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static String cut(String text) {
        return text.length() <= RESULT_LIMIT ? text : text.substring(0, RESULT_LIMIT) + "…";
    }
}
