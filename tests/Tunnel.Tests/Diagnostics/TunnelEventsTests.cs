using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Tests.Runtime.Pool;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>What listeners within the process hear of one connection's life; others' are heard, too, and told apart by the target.</summary>
public class TunnelEventsTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task SessionsAndStreamsTellTheirLife()
    {
        using var heard = new Events();
        int port = await CarryAsync();
        string target = $"127.0.0.1:{port}";
        EventWrittenEventArgs[] opened = heard.Named("StreamOpened", target), closed = heard.Named("StreamClosed", target);
        Assert.Equal(2, opened.Length);
        Assert.Equal(2, closed.Length);
        // The client's and the server's: what one sent the other received. A header of 17 bytes and the dial's result come first.
        Assert.Equal([(17L + 5, 1L + 3), (1L + 3, 17L + 5)], closed.Select(e => ((long)e.Payload![3]!, (long)e.Payload[4]!)).OrderByDescending(e => e.Item1));
        Assert.All(closed, e => Assert.InRange((long)e.Payload![5]!, 0, Limit));
        object conv = opened[0].Payload![0]!;
        Assert.Equal(2, heard.Named("SessionStarted", conv).Length);
        EventWrittenEventArgs[] ended = heard.Named("SessionEnded", conv);
        Assert.Equal(["Goodbye", "Local"], ended.Select(e => (string)e.Payload![2]!).Order());
    }

    [Fact(Timeout = Limit)]
    public async Task SetUpIsTracedWithCausesAndResults()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using ActivityListener listener = Listen(stopped);
        int port = await CarryAsync();
        Activity[] ours = [.. stopped.Where(a => Equals(a.GetTagItem("server.port"), port))];
        Assert.Equal(["tunnel.accept", "tunnel.dial", "tunnel.open", "tunnel.serve"], ours.Select(a => a.OperationName).Order());
        Activity accept = ours.Single(a => a.OperationName == "tunnel.accept"), open = ours.Single(a => a.OperationName == "tunnel.open");
        Activity serve = ours.Single(a => a.OperationName == "tunnel.serve"), dial = ours.Single(a => a.OperationName == "tunnel.dial");
        Assert.Equal(accept.SpanId, open.ParentSpanId);
        Assert.Equal(serve.SpanId, dial.ParentSpanId);
        Assert.All(ours, a => Assert.Equal(ActivityStatusCode.Unset, a.Status));
        Assert.All(ours, a => Assert.Equal("127.0.0.1", a.GetTagItem("server.address")));
        Assert.Equal(open.GetTagItem("tunnel.session"), serve.GetTagItem("tunnel.session"));
        // Set-up, not the connection's life: it ends before the first byte is carried.
        Assert.All(ours, a => Assert.True(a.Duration < TimeSpan.FromMilliseconds(Limit)));
    }

    /// <summary>The two ends' traces are apart, and found by the stream.</summary>
    [Fact(Timeout = Limit)]
    public async Task ARefusedDialIsAFailureAtBothEndsOfTheSameStream()
    {
        var stopped = new ConcurrentQueue<Activity>();
        using ActivityListener listener = Listen(stopped);
        // Bound, so that nobody else takes the port, and listened on by nobody.
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)closed.LocalEndPoint!).Port;
        await using (TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{port}'\n"))
        {
            using var application = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await application.ConnectAsync(pair.Listener, TestContext.Current.CancellationToken);
            await PoolWorld.Eventually(() => Ours().Length == 4);
        }

        Activity open = Ours().Single(a => a.OperationName == "tunnel.open"), serve = Ours().Single(a => a.OperationName == "tunnel.serve");
        Assert.All(Ours(), a => Assert.Equal(ActivityStatusCode.Error, a.Status));
        Assert.NotNull(open.GetTagItem("tunnel.stream"));
        Assert.Equal((open.GetTagItem("tunnel.session"), open.GetTagItem("tunnel.stream")), (serve.GetTagItem("tunnel.session"), serve.GetTagItem("tunnel.stream")));
        Assert.Equal("ConnectionRefused", serve.GetTagItem("error.type"));
        return;

        Activity[] Ours() => [.. stopped.Where(a => Equals(a.GetTagItem("server.port"), port))];
    }

    /// <summary>A client that has heard that the dial failed resets the stream, which may be quicker than the server's answer is done.</summary>
    [Fact]
    public void TheFirstFailureIsTheCause()
    {
        using Activity serving = new Activity("tunnel.serve").Start();
        serving.Fail(new SocketException((int)SocketError.ConnectionRefused));
        serving.Fail(new StreamResetException());
        Assert.Equal((ActivityStatusCode.Error, "ConnectionRefused"), (serving.Status, serving.GetTagItem("error.type")));
    }

    [Fact]
    public void WhatHappensToAStreamAfterItsSetUpIsNoFailureOfThat()
    {
        using Activity serving = new Activity("tunnel.serve").Start();
        serving.Stop();
        serving.Fail(new StreamResetException());
        Assert.Equal((ActivityStatusCode.Unset, null), (serving.Status, serving.GetTagItem("error.type")));
    }

    private static ActivityListener Listen(ConcurrentQueue<Activity> stopped)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == TunnelActivities.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    /// <summary>One connection through a tunnel of its own: 5 bytes there, 3 back.</summary>
    private static async Task<int> CarryAsync()
    {
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        target.Listen();
        int port = ((IPEndPoint)target.LocalEndPoint!).Port;
        await using TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{port}'\n");
        using var application = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await application.ConnectAsync(pair.Listener);
        using Socket accepted = await target.AcceptAsync();
        await application.SendAsync("hello"u8.ToArray());
        byte[] buffer = new byte[16];
        for (int count = 0; count < 5;)
            count += await accepted.ReceiveAsync(buffer);
        await accepted.SendAsync("bye"u8.ToArray());
        for (int count = 0; count < 3;)
            count += await application.ReceiveAsync(buffer);
        accepted.Dispose();
        application.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await application.ReceiveAsync(buffer));
        // The client's goodbye has to be heard before the server is stopped as well.
        await pair.StopClientAsync();
        await PoolWorld.Eventually(() => pair.Server.Sessions!.Count == 0);
        return port;
    }

    private sealed class Events : EventListener
    {
        private readonly ConcurrentQueue<EventWrittenEventArgs> _all = new();

        public Events() => EnableEvents(TunnelEvents.Log, EventLevel.Informational);

        public EventWrittenEventArgs[] Named(string name, object value) =>
            [.. _all.Where(e => e.EventName == name && e.Payload!.Contains(value))];

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventSource == TunnelEvents.Log)
                _all?.Enqueue(eventData);
        }
    }
}
