package io.cameleer.agent.camel;

import java.util.Map;
import java.util.TreeMap;

import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.VetoCamelContextStartException;
import org.apache.camel.support.LifecycleStrategySupport;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.command.CamelControl;
import io.cameleer.agent.diagram.RouteGraph;
import io.cameleer.agent.metrics.RouteFigures;

/**
 * Puts the recorder into one Camel context: around each processor (intercept strategy), around each route (route policy), and beside
 * each send (event notifier). Installed before any route is built; everything it uses is public API of Camel.
 */
public final class ContextInstrumentation extends LifecycleStrategySupport implements AgentRuntime.Context {

    private final AgentRuntime runtime;
    private final CamelContext context;
    private final Recorder recorder;
    private final ContextTelemetry telemetry;
    private final CamelControl control;
    private volatile boolean started;
    private volatile boolean stopped;

    private ContextInstrumentation(AgentRuntime runtime, CamelContext context) {
        this.runtime = runtime;
        this.context = context;
        this.recorder = new Recorder(runtime);
        this.telemetry = new ContextTelemetry(runtime, context, this);
        this.control = new ContextControl(runtime, context, () -> started);
    }

    public static void install(AgentRuntime runtime, CamelContext context) {
        ContextInstrumentation installed = new ContextInstrumentation(runtime, context);
        RoutePolicyRecording policy = new RoutePolicyRecording(installed.recorder);
        context.getCamelContextExtension().addInterceptStrategy(
            (camel, node, target, next) -> new RecordedProcessor(installed.recorder, runtime.telemetry().logs().ids(), node, target));
        context.addRoutePolicyFactory((camel, routeId, node) -> policy);
        context.addRoutePolicyFactory((camel, routeId, node) ->
            new RouteMeter(routeId, installed.telemetry.figures(routeId), installed.telemetry.events()));
        installed.telemetry.findLogging();
        context.addLifecycleStrategy(installed);
        runtime.contextCreated(installed);
    }

    @Override
    public void onContextInitialized(CamelContext camel) throws VetoCamelContextStartException {
        try {
            SendEvents notifier = new SendEvents(recorder);
            notifier.start();
            camel.getManagementStrategy().addEventNotifier(notifier);
            telemetry.events().start();
            camel.getManagementStrategy().addEventNotifier(telemetry.events());
        } catch (Exception | LinkageError e) {
            runtime.counters().add("agent_error", 1);
            AgentLog.warn("calls between applications are not followed: " + e);
        }
    }

    @Override
    public void onContextStarted(CamelContext camel) {
        started = true;
        telemetry.contextStarted();
    }

    @Override
    public void onContextStopped(CamelContext camel) {
        stopped = true;
        started = false;
        telemetry.contextStopped();
        runtime.contextGone(this);
    }

    @Override
    public String name() {
        return context.getName();
    }

    @Override
    public RouteGraph routeGraph(String routeId) {
        return RouteGraphReader.read(context, routeId, runtime.rules().sensitiveKeys());
    }

    @Override
    public int inflight(String routeId) {
        return routeId == null ? context.getInflightRepository().size() : context.getInflightRepository().size(routeId);
    }

    @Override
    public Map<String, RouteFigures> routes() {
        return telemetry.figures();
    }

    @Override
    public String camelVersion() {
        return context.getVersion();
    }

    @Override
    public CamelControl control() {
        return control;
    }

    @Override
    public boolean started() {
        return started;
    }

    @Override
    public boolean stopping() {
        return !stopped && context.isStopping();
    }

    @Override
    public Map<String, String> routeStates() {
        Map<String, String> states = new TreeMap<>();
        try {
            for (Route route : context.getRoutes()) {
                ServiceStatus status = context.getRouteController().getRouteStatus(route.getRouteId());
                states.put(route.getRouteId(), status == null ? "Stopped" : named(status));
            }
        } catch (RuntimeException e) {
            runtime.counters().add("agent_error", 1);
        }
        return states;
    }

    static String named(ServiceStatus status) {
        if (status.isStarted() || status.isStarting()) {
            return "Started";
        }
        return status.isSuspended() || status.isSuspending() ? "Suspended" : "Stopped";
    }
}
