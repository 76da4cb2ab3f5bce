using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Filtering;

namespace Tunnel.Tests.Links;

public class HostFactsTests
{
    [Theory]
    [InlineData(0, 0x2001, true)]
    [InlineData(5, 0x2001, false)]
    [InlineData(0, 0x2041, false)]
    public void TheClocksState(int state, int status, bool synchronised)
    {
        var timex = new byte[208];
        BinaryPrimitives.WriteInt64LittleEndian(timex.AsSpan(24), 1500);
        BinaryPrimitives.WriteInt32LittleEndian(timex.AsSpan(40), status);
        Assert.Equal(new KernelClock(synchronised, TimeSpan.FromMicroseconds(1500)), KernelClock.Parse(state, timex));
    }

    [Fact]
    public void TheKernelTellsItsClock() => Assert.NotNull(KernelClock.Read().Clock);

    /// <summary>A connection that nobody accepts waits where it was made to.</summary>
    [Fact]
    public async Task AListenersQueue()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(7);
        var local = (IPEndPoint)listener.LocalEndPoint!;
        Assert.Equal(new ListenQueue(local, 0, 7), Find(local));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(local, TestContext.Current.CancellationToken);
        SpinWait.SpinUntil(() => Find(local)?.Waiting == 1, TimeSpan.FromSeconds(10));
        Assert.Equal(new ListenQueue(local, 1, 7), Find(local));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(71)]
    public void AShortAnswerIsNone(int length) => Assert.Null(ListenQueues.Parse(new byte[length]));

    [Fact]
    public void RulesAsTheToolsPrintThem()
    {
        const string table = "table inet tunnel_9999 {\n\tchain prerouting {\n\t\ttcp dport 9999 drop\n\t}\n"
            + "\tchain output {\n\t\ttcp flags rst / rst drop\n\t\ttcp sport 9999 notrack\n\t}\n}\n";
        RunTool run = (tool, arguments, _) => tool != "nft" ? new ToolResult(-1, "", "", IsMissing: true)
            : new ToolResult(0, arguments.Contains("tables") ? "table inet tunnel_9999\ntable inet other\n" : table, "");
        IReadOnlyList<FirewallSurvey> tools = FirewallSurvey.Read(run);
        Assert.Equal(new InstalledRules(9999, null, false, true, true), Assert.Single(tools[0].Rules));
        Assert.Equal(("nft", null), (tools[0].Tool, tools[0].Problem));
        Assert.Equal(("iptables", "not installed"), (tools[1].Tool, tools[1].Problem));
    }

    [Fact]
    public void AToolThatRefusesSaysWhy()
    {
        IReadOnlyList<FirewallSurvey> tools = FirewallSurvey.Read((_, _, _) => new ToolResult(1, "", "Operation not permitted\n"));
        Assert.All(tools, t => Assert.Equal("Operation not permitted", t.Problem));
    }

    private static ListenQueue? Find(IPEndPoint local)
    {
        (IReadOnlyList<ListenQueue> queues, string? problem) = ListenQueues.Read();
        Assert.Null(problem);
        return queues.FirstOrDefault(q => q.Local.Equals(local));
    }
}
