package io.cameleer.agent.camel;

import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;

/** Follows what leaves through an endpoint: which one it was, and the headers by which the next application knows where it came from. */
final class SendEvents extends EventNotifierSupport {

    private final Recorder recorder;

    SendEvents(Recorder recorder) {
        this.recorder = recorder;
        setIgnoreCamelContextEvents(true);
        setIgnoreRouteEvents(true);
        setIgnoreServiceEvents(true);
        setIgnoreStepEvents(true);
        setIgnoreExchangeCreatedEvent(true);
        setIgnoreExchangeCompletedEvent(true);
        setIgnoreExchangeRedeliveryEvents(true);
    }

    @Override
    public boolean isEnabled(CamelEvent event) {
        return event instanceof CamelEvent.ExchangeSendingEvent || event instanceof CamelEvent.ExchangeSentEvent
            || event instanceof CamelEvent.ExchangeFailureHandledEvent;
    }

    @Override
    public void notify(CamelEvent event) {
        try {
            if (event instanceof CamelEvent.ExchangeSendingEvent sending) {
                recorder.sending(sending.getExchange(), sending.getEndpoint().getEndpointUri());
            } else if (event instanceof CamelEvent.ExchangeSentEvent sent) {
                recorder.sent(sent.getExchange(), sent.getEndpoint().getEndpointUri());
            } else if (event instanceof CamelEvent.ExchangeFailureHandledEvent handled) {
                recorder.failureHandled(handled.getExchange());
            }
        } catch (RuntimeException | LinkageError e) {
            recorder.count(e);
        }
    }
}
