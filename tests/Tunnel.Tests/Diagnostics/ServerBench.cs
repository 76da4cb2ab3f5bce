using System.Net;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Config;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Diagnostics;

/// <summary>
/// A server's receiver and sessions without a cipher, so that peers can be made by hand; what it sends goes to <see cref="Carrier"/>, what
/// it counts is read as a scraper would.
/// </summary>
internal sealed class ServerBench : IDisposable
{
    private readonly DeadlineLoop _deadlines = new();
    private readonly MemoryLink _link = MemoryLink.CreatePair(new MemoryWireOptions(), 1).Left;

    public ServerBench(MuxOptions? mux = null, GuardSettings? guard = null)
    {
        var limits = new LimitMeter(Lines);
        Budget = new MemoryBudget(long.MaxValue, Ledger);
        Gate = new ListenerGate(() => new ListenersConfig(null, null, MaxConnections), Lines);
        End = new BareEnd(Ledger, Gate);
        var cap = new StreamCap(() => Kcp, Budget, limits);
        Log = new DatagramLog(Lines);
        var factory = new SessionFactory("null", new byte[32], new KcpOptions(), mux ?? new MuxOptions(), mtu: 1350, guard, cap)
        {
            Budget = Budget,
            Limits = limits,
            Ledger = Ledger,
            Log = Log,
        };
        var link = new ReplaceableLink(_link);
        Sessions = new ServerSessions(factory, Carrier, link, _deadlines, () => MaxSessions);
        Sessions.SessionOpened += Opened.Add;
        Receiver = new ServerReceiver(link, Sessions);
    }

    public BareEnd End { get; }

    public LogLines Lines { get; } = new();

    public DatagramLog Log { get; }

    public BenchCarrier Carrier { get; } = new();

    public MemoryBudget Budget { get; }

    public ListenerGate Gate { get; }

    public ServerSessions Sessions { get; }

    /// <summary>Every session that was made, ended or not.</summary>
    public List<PeerSession> Opened { get; } = [];

    public ServerReceiver Receiver { get; }

    /// <summary>The live caps.</summary>
    public KcpConfig Kcp { get; set; } = ConfigText.ValidServer(ConfigText.Server).Transport.Kcp;

    public int MaxSessions { get; set; } = 10;

    public int MaxConnections { get; set; } = 10;

    private TrafficLedger Ledger { get; } = new();

    public PrometheusParser Metrics() => PrometheusParser.Parse(PrometheusText.Render(Reading.Take(End), "1"));

    /// <summary>A datagram comes from an address.</summary>
    public void Take(IPEndPoint from, ReadOnlySpan<byte> datagram)
    {
        Receiver.OnFrame(datagram, from.Serialize().Buffer.Span, 0);
        Receiver.OnBatchEnd();
    }

    /// <summary>A peer whose first segment opens a stream.</summary>
    public BenchPeer Greet(int host, uint conv = 7)
    {
        var peer = new BenchPeer(this, host, conv);
        peer.Say(MuxCommand.Open, 3);
        return peer;
    }

    public void Dispose()
    {
        Receiver.Dispose();
        Sessions.Close();
        _deadlines.Dispose();
        _link.Dispose();
    }
}
