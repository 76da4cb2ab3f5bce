using System.CommandLine;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Verbs;

var root = new RootCommand("tunnelctl: tools around the tunnel")
{
    DemoVerb.Create(),
    InitVerb.Create(),
    KeygenVerb.Create(),
    CheckVerb.Create(),
    PingVerb.Create(),
    DumpVerb.Create(),
    BenchVerb.Create(),
    TuneLoopVerb.Create(),
    EmulateVerb.Create(),
    TopVerb.Create(),
    ProfileVerb.Create(),
    VersionVerb.Create(),
};
ParseResult parsed = root.Parse(args);

// What a verb has set up (a knob, namespaces, rules) is undone after a signal; the library's own two seconds could cut that short.
int result = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
return parsed.Errors.Count != 0 ? Tunnel.App.Hosting.ExitCode.Usage : result;
