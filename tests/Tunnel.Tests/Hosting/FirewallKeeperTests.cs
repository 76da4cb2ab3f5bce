using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Hosting;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Filtering;

namespace Tunnel.Tests.Hosting;

public sealed class FirewallKeeperTests : IDisposable
{
    private readonly Backend _backend = new();
    private readonly FirewallKeeper _keeper;
    private FirewallRules _wanted = RulesFor("192.0.2.1");

    public FirewallKeeperTests() => _keeper = Start();

    public void Dispose() => _keeper.Dispose();

    [Fact]
    public void ItFollowsAddresses()
    {
        _wanted = RulesFor("192.0.2.1", "192.0.2.2");
        _keeper.Follow();
        Assert.Same(_wanted, _backend.Rules);
    }

    /// <summary>Rules without an address are for every address of the host, where another service may have the port.</summary>
    [Fact]
    public void AnInterfaceWithoutAddressesKeepsItsRules()
    {
        FirewallRules before = _wanted;
        _wanted = RulesFor();
        _keeper.Follow();
        Assert.False(_keeper.Check());
        Assert.Same(before, _backend.Rules);
    }

    /// <summary>A tool that fails in the middle takes the old rules with it: the next look brings the new ones.</summary>
    [Fact]
    public void WhatFailedIsTriedAgain()
    {
        _backend.Fails = true;
        _wanted = RulesFor("192.0.2.3");
        _keeper.Follow();
        Assert.Null(_keeper.Tool);
        Assert.False(_keeper.Check());
        Assert.Null(_backend.Rules);
        _backend.Fails = false;
        Assert.True(_keeper.Check());
        Assert.Same(_wanted, _backend.Rules);
        Assert.False(_keeper.Check());
        _keeper.Dispose();
        Assert.Null(_backend.Rules);
    }

    [Fact]
    public void WhatFailedAtTheStartIsTriedAgain()
    {
        _keeper.Dispose();
        _backend.Fails = true;
        using FirewallKeeper late = Start();
        Assert.False(late.Check());
        _backend.Fails = false;
        Assert.True(late.Check());
        Assert.Same(_wanted, _backend.Rules);
    }

    private FirewallKeeper Start() => FirewallKeeper.Start(
        () => _wanted, NullLogger.Instance, new FirewallProblems(NullLogger.Instance), rules => Firewall.Install(rules, [_backend]));

    private static FirewallRules RulesFor(params string[] addresses) =>
        new() { Role = FirewallRole.Server, FirstPort = 29_872, LocalAddresses = [.. addresses.Select(IPAddress.Parse)] };

    /// <summary>A firewall of one table. Its name is a tool's whose changes the kernel announces, so that the rounds seldom look.</summary>
    private sealed class Backend : IFirewallBackend
    {
        public string Tool => "nft";

        public bool Fails { get; set; }

        public FirewallRules? Rules { get; private set; }

        public void Install(FirewallRules rules, FirewallOwner owner)
        {
            if (Fails)
                throw new ToolException("no answer", isMissing: false);
            Rules = rules;
        }

        public string? Read(FirewallRules rules) => Rules?.ToString();

        public void Remove(string name) => Rules = null;

        public IReadOnlyList<string> Names() => [];

        public FirewallOwner? Owner(string name) => null;

        public ManualCommands Manual(FirewallRules rules) => new(Tool, [], []);
    }
}
